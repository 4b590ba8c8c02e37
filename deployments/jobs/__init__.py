"""Jobs of many photos: in a database and a store of files, worked on by any number of nodes."""
