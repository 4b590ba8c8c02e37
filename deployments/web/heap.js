// A heap of files: chosen, or dropped with all that lies in their folders.

const PHOTO = /\.(jpe?g|jpe|jfif|png|webp|hei[cf]|avif)$/i;
const ZIP = /\.zip$/i;

/**
 * What can be sent of these files: {photos: [{file, name}], zip, left, bytes}. A zip is sent alone;
 * `left` counts what is no photo.
 */
export function sorted(found) {
  const photos = found.filter(
    ({ file, name }) => PHOTO.test(name) || file.type.startsWith("image/"),
  );
  const zips = found.filter(({ name }) => ZIP.test(name));
  const zip = photos.length === 0 ? (zips[0] ?? null) : null;
  const sent = zip ? [zip] : photos;
  const bytes = sent.reduce((sum, { file }) => sum + file.size, 0);
  return { photos, zip, left: found.length - sent.length, bytes };
}

/** Files as a browser's input gives them, with their folders' names. */
export function named(files) {
  return files.map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

/** All files of a drop, out of all its folders. */
export async function dropped(transfer) {
  // Asked before anything is awaited: the drop is over then.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return named([...transfer.files]);
  const found = [];
  await Promise.all(entries.map((entry) => walk(entry, found)));
  return found.sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, name: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A folder comes in parts; an empty one is the end.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const each of part) await walk(each, found);
  }
}
