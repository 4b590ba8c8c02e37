"""The manifest: one row for each photo, kept in parts while a run goes on.

Each part is written whole, so that what a killed run knew of its photos is known to the next one.
"""

import hashlib
import io
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cli.batch.storage import STATE, UNFINISHED, Storage

_TEXT, _NUMBER = pa.string(), pa.float64()
_FINDING = pa.struct(
    [
        *((name, _TEXT) for name in ("document", "background", "code")),
        ("value", _NUMBER),
        ("unit", _TEXT),
        *((name, _NUMBER) for name in ("min", "max")),
        *((name, _TEXT) for name in ("result", "hint")),
    ]
)
SCHEMA = pa.schema(
    [
        ("source", _TEXT),
        ("results", pa.list_(_TEXT)),
        ("code", _TEXT),
        ("error", _TEXT),
        ("hint", _TEXT),
        ("checks", pa.list_(_FINDING)),
        ("seconds", _NUMBER),
    ]
)
"""A photo that was written by an earlier run that nothing more is known of has ``seconds`` null."""
_VARIANTS = b"idphoto.variants"
_PART_ROWS = 10_000
_PART_S = 20
_NO_LIMIT = 1 << 40


@dataclass
class Manifest:
    """The rows of one run, and those that earlier ones left."""

    storage: Storage
    variants: Sequence[str]
    name: str = "manifest.parquet"
    _waiting: list[pa.Table] = field(default_factory=list)
    _rows: int = 0
    _parts: list[str] = field(default_factory=list)
    _saved_at: float = field(default_factory=time.monotonic)

    def add(self, rows: pa.Table) -> None:
        """Keeps rows of this run; every 20 s they are written. Raises OSError."""
        self._waiting.append(rows.select(SCHEMA.names).cast(SCHEMA))
        self._rows += rows.num_rows
        if self._rows >= _PART_ROWS or time.monotonic() - self._saved_at > _PART_S:
            self.save()

    def save(self) -> None:
        """Writes what is not yet written. Raises OSError."""
        if self._waiting:
            # Names that sort by time: of two rows of a photo the later one counts.
            name = f"{self._folder}/{time.time_ns():020}.parquet"
            buffer = io.BytesIO()
            pq.write_table(self._labelled(pa.concat_tables(self._waiting)), buffer)
            self.storage.write(name, buffer.getvalue())
            self._parts.append(name)
        self._waiting, self._rows, self._saved_at = [], 0, time.monotonic()

    def close(self, written: pa.Array) -> None:
        """Writes the manifest: a row for each photo of this run, and for each in ``written``, which
        earlier runs have made, with what they knew of it. Then the parts are deleted, and what a
        killed run left unfinished. Raises OSError.
        """
        self.save()
        earlier = self._earlier()
        unknown = np.ones(len(written), bool)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "manifest.parquet"
            with pq.ParquetWriter(file, self._labelled(SCHEMA.empty_table()).schema) as writer:
                for name in self._parts:
                    self._copy(writer, name, None, unknown)
                for name in reversed(earlier):
                    self._copy(writer, name, written, unknown)
                left = written.filter(pa.array(unknown))
                for start in range(0, len(left), _PART_ROWS):
                    rows = self._bare(left.slice(start, _PART_ROWS))
                    writer.write_table(self._labelled(rows))
            self.storage.put(self.name, file)
        unfinished = [entry.name for entry in self.storage.listed(UNFINISHED)]
        for name in (*self._parts, *earlier, *unfinished):
            if name != self.name:
                self.storage.delete(name)

    @property
    def _folder(self) -> str:
        """Runs of another order have theirs."""
        order = hashlib.blake2b("\n".join(self.variants).encode(), digest_size=6).hexdigest()
        return f"{STATE}/{order}"

    def _earlier(self) -> list[str]:
        """What other runs of the order left, the oldest first."""
        parts = sorted(entry.name for entry in self.storage.listed(self._folder))
        found = [self.name] if self.storage.has(self.name) else []
        return found + [name for name in parts if name not in self._parts]

    def _copy(
        self,
        writer: pq.ParquetWriter,
        name: str,
        wanted: pa.Array | None,
        unknown: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    ) -> None:
        """The file's rows; of earlier ones those that are wanted and not yet known."""
        for rows in self._read(name):
            if wanted is not None:
                places = pc.index_in(rows["source"].cast(wanted.type), wanted)
                place = pc.fill_null(places, -1).to_numpy()
                fine = rows["code"].to_numpy(zero_copy_only=False) == ""
                keep = (place >= 0) & fine
                keep[keep] &= unknown[place[keep]]
                unknown[place[keep]] = False
                rows = rows.filter(pa.array(keep))
            writer.write_table(self._labelled(rows))

    def _read(self, name: str) -> Iterator[pa.Table]:
        """The rows of a file of this order, some at a time; none where it is of another one."""
        data = self.storage.read(name, _NO_LIMIT)
        try:
            file = pq.ParquetFile(pa.BufferReader(data))
        except pa.ArrowInvalid:
            return  # Somebody else's file of our name.
        if (file.schema_arrow.metadata or {}).get(_VARIANTS) != self._label:
            return
        for batch in file.iter_batches(batch_size=_PART_ROWS):
            yield pa.Table.from_batches([batch]).cast(SCHEMA)

    @property
    def _label(self) -> bytes:
        return "\n".join(self.variants).encode()

    def _labelled(self, rows: pa.Table) -> pa.Table:
        return rows.replace_schema_metadata({_VARIANTS: self._label})

    def _bare(self, sources: pa.Array) -> pa.Table:
        names = sources.to_pylist()
        rows = [
            {
                "source": name,
                "results": [f"{name}_{variant}" for variant in self.variants],
                "code": "",
                "error": "",
                "hint": "",
                "checks": [],
                "seconds": None,
            }
            for name in names
        ]
        return pa.Table.from_pylist(rows, SCHEMA)
