"""A user's workbook as a package of members: what is let in, read, and copied without a change.

The file comes from outside, so it is held to limits before anything in it is understood: a small
file may not become a large one, no name may point elsewhere, no part may define entities. Members
that are not changed are copied as the compressed bytes that they are, in their own order.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from io import SEEK_CUR, SEEK_SET
from pathlib import Path
from typing import BinaryIO, NamedTuple

from maxo_reports.errors import UsageError

MOST_MEMBERS = 2_000
"""Excel's own largest workbooks have some hundreds of parts; each one costs work."""
LARGEST = 2**30
"""Bytes of one part: a full sheet of a million calls. What we read is held in memory."""
LARGEST_ALL = 2 * 2**30
"""Bytes of all parts together."""
LARGEST_RATIO = 250
"""How far a part may blow up: XML of a sheet comes to 30 at most, a bomb to 400 and more."""
_SMALL = 2**20
"""Below this size a part may be packed as tightly as it likes."""
_PIECE = 2**20
LEVEL = 4
"""Above it zlib takes twice the time for a tenth of the size."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_MOST_BYTES = 0xFFFFFFFF
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_USUAL_FLAGS = 0x80E
"""How tightly it is packed, that its sizes come after it, that its name is in UTF-8."""
_ENDS = (b"PK\x05\x06", b"PK\x06\x06")
"""What comes after the directory: its end, or that of the form for large files before it."""
_DOCTYPES = (
    b"<!DOCTYPE",
    "<!DOCTYPE".encode("utf-16-le"),
    "<!DOCTYPE".encode("utf-16-be"),
)
_BORDER = 2 * len("<!DOCTYPE")
_XML = (".xml", ".rels", ".vml")
_OTHER_FORMATS = {
    ".xls": "the old .xls",
    ".xlsb": "the binary .xlsb",
    ".ods": "OpenDocument",
    ".xlt": "the old .xlt",
    ".csv": "plain text",
}
_READ = frozenset({".xlsx", ".xlsm"})


class Member(NamedTuple):
    """A member: its name, its place in the file, and its line of the directory as it stands."""

    info: zipfile.ZipInfo
    start: int
    end: int
    line: bytes

    @property
    def name(self) -> str:
        """Return the name that parts refer to it by."""
        return self.info.filename


class Package:
    """An opened workbook. Every member has been read to its end, and is what it claims to be."""

    def __init__(self, path: Path) -> None:
        _known(path)
        self.path = path
        self._file = path.open("rb")
        try:
            head = self._file.read(len(_OLE))
            if head == _OLE:
                raise self.refused("it is encrypted, or an old .xls: take its password off")
            if head[: len(_ZIP)] != _ZIP:
                raise self.refused("it is no Excel workbook, or it is damaged")
            try:
                self._zip = zipfile.ZipFile(self._file)
                self.members = self._listed()
                for member in self.members:
                    self._prove(member)
            except (zipfile.BadZipFile, zlib.error, struct.error, EOFError) as why:
                raise self.refused(
                    f"it is damaged ({why}): open it in Excel and save it"
                ) from None
            except (NotImplementedError, RuntimeError) as why:
                raise self.refused(f"it is packed in an unusual way ({why})") from None
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()
        self._file.close()

    def refused(self, why: str) -> UsageError:
        """Return the one line that says why this workbook is not touched."""
        return UsageError(f"{self.path}: {why}; nothing was changed")

    # ---- what is let in ---------------------------------------------------------------------

    def _listed(self) -> tuple[Member, ...]:
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            raise self.refused(f"it has {len(infos):,} parts, more than {MOST_MEMBERS:,}")
        seen: set[str] = set()
        for info in infos:
            self._allow(info)
            if (folded := info.filename.casefold()) in seen:
                raise self.refused(f"two of its parts are named {info.filename!r}")
            seen.add(folded)
        whole = sum(info.file_size for info in infos)
        if whole > LARGEST_ALL:
            raise self.refused(f"unpacked it has {whole:,} bytes, more than {LARGEST_ALL:,}")
        return self._placed(infos)

    def _allow(self, info: zipfile.ZipInfo) -> None:
        name = info.orig_filename
        pieces = name.split("/")
        if "\\" in name or "\0" in name or ":" in name or not pieces[0] or ".." in pieces:
            raise self.refused(f"a part has the name {name!r}, which points elsewhere")
        if info.flag_bits & _ENCRYPTED:
            raise self.refused("it is encrypted: take its password off")
        if info.file_size > LARGEST:
            raise self.refused(f"{name} unpacks to {info.file_size:,} bytes, over {LARGEST:,}")
        ratio = info.file_size // max(1, info.compress_size)
        if info.file_size > _SMALL and ratio > LARGEST_RATIO:
            raise self.refused(f"{name} unpacks to {ratio:,} times its size, as no sheet does")

    def _placed(self, infos: list[zipfile.ZipInfo]) -> tuple[Member, ...]:
        """Find each member's bytes, and its line of the directory; none may share any."""
        directory = self._zip.start_dir
        self._file.seek(directory)
        lines = []
        for _ in infos:
            head = self._file.read(_CENTRAL.size)
            fields = _CENTRAL.unpack(head)
            if fields[0] != b"PK\x01\x02" or _MOST_BYTES in (*fields[8:10], fields[16]):
                raise zipfile.BadZipFile("its directory is not of the common form")
            lines.append(head + self._file.read(sum(fields[10:13])))
        if self._file.read(4) not in _ENDS:
            raise zipfile.BadZipFile("its directory does not end where it should")
        in_order = sorted(info.header_offset for info in infos)
        if in_order[:1] != [0]:
            raise zipfile.BadZipFile("something stands before its first part")
        ends = dict(zip(in_order, (*in_order[1:], directory), strict=True))
        if len(ends) < len(infos):
            raise self.refused("two of its parts share their bytes")
        members = []
        for info, line in zip(infos, lines, strict=True):
            start = info.header_offset
            self._file.seek(start)
            local = _LOCAL.unpack(self._file.read(_LOCAL.size))
            if local[0] != _ZIP or local[2] & ~_USUAL_FLAGS or info.flag_bits & ~_USUAL_FLAGS:
                raise zipfile.BadZipFile(f"{info.filename} does not begin as a part does")
            if start + _LOCAL.size + local[9] + local[10] + info.compress_size > ends[start]:
                raise self.refused("two of its parts share their bytes")
            members.append(Member(info, start, ends[start], line))
        return tuple(members)

    def _prove(self, member: Member) -> None:
        """Read a member to its end: its name, checksum, true size, and no document type.

        zipfile would stop at the size that is claimed; another reader would not.
        """
        info, is_xml = member.info, member.name.lower().endswith(_XML)
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise NotImplementedError(info.filename)
        self._file.seek(member.start)
        head = _LOCAL.unpack(self._file.read(_LOCAL.size))
        name = self._file.read(head[9])
        self._file.seek(head[10], SEEK_CUR)
        checksum = size = 0
        tail = b""
        for piece in _unpacked(self._file, info):
            checksum, size = zlib.crc32(piece, checksum), size + len(piece)
            if size > info.file_size:
                break
            if is_xml and any(word in tail + piece for word in _DOCTYPES):
                raise self.refused(f"{member.name} defines a document type, as no workbook does")
            tail = piece[-_BORDER:]
        central = member.line[_CENTRAL.size : _CENTRAL.size + len(name)]
        if (size, checksum, name) != (info.file_size, info.CRC, central):
            raise zipfile.BadZipFile(f"{member.name} is not what the directory says")

    # ---- reading ----------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        """Tell whether there is a part of this name."""
        return any(member.name == name for member in self.members)

    def read(self, name: str) -> bytes:
        """Return a part's bytes."""
        try:
            return self._zip.read(name)
        except KeyError:
            raise self.refused(f"it lacks its part {name}: it is damaged") from None
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise self.refused("it was changed while it was read: try again") from None

    # ---- writing ----------------------------------------------------------------------------

    def write(
        self, out: BinaryIO, changed: Mapping[str, Iterable[bytes]], dropped: frozenset[str]
    ) -> None:
        """Write the package with some parts changed and some left out; all else stays as it is."""
        lines = []
        for member in self.members:
            if member.name in dropped:
                continue
            offset = out.tell()
            pieces = changed.get(member.name)
            if pieces is None:
                self._copy(member, out)
                line = bytearray(member.line)
            else:
                line = self._pack(member, pieces, out)
            if out.tell() > _MOST_BYTES:
                raise self.refused("with these rows it would be larger than 4 GB")
            struct.pack_into("<I", line, _CENTRAL.size - 4, offset)
            lines.append(bytes(line))
        start, count = out.tell(), len(lines)
        out.writelines(lines)
        comment = self._zip.comment
        size = out.tell() - start
        out.write(_END.pack(b"PK\x05\x06", 0, 0, count, count, size, start, len(comment)))
        out.write(comment)

    def _pack(self, member: Member, pieces: Iterable[bytes], out: BinaryIO) -> bytearray:
        """Write a changed member; return its line of the directory."""
        old = _CENTRAL.unpack_from(member.line)
        name = member.line[_CENTRAL.size : _CENTRAL.size + old[10]]
        flags, when = old[3] & _UTF8_NAME, old[5:7]
        start = out.tell()
        out.write(b"\0" * (_LOCAL.size + len(name)))
        checksum = size = packed = 0
        deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        for piece in _gathered(pieces):
            checksum, size = zlib.crc32(piece, checksum), size + len(piece)
            packed += out.write(deflate.compress(piece))
        packed += out.write(deflate.flush())
        if size > LARGEST:
            why = f"{member.name} would unpack to {size:,} bytes, over {LARGEST:,}"
            raise self.refused(f"{why}: take a column out of its table")
        common = (20, flags, zipfile.ZIP_DEFLATED, *when, checksum, packed, size, len(name), 0)
        end = out.tell()
        out.seek(start, SEEK_SET)
        out.write(_LOCAL.pack(_ZIP, *common) + name)
        out.seek(end, SEEK_SET)
        line = _CENTRAL.pack(b"PK\x01\x02", old[1], *common, 0, 0, old[14], old[15], 0)
        return bytearray(line + name)

    def _copy(self, member: Member, out: BinaryIO) -> None:
        self._file.seek(member.start)
        left = member.end - member.start
        while left:
            piece = self._file.read(min(left, _PIECE))
            if not piece:
                raise self.refused("it was cut while it was read")
            out.write(piece)
            left -= len(piece)


def _unpacked(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a member unpacks to, in pieces of bounded size, to the end of its stream."""
    left = info.compress_size
    if info.compress_type == zipfile.ZIP_STORED:
        while left and (piece := file.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting = b""
    while not inflate.eof:
        if not waiting:
            waiting = file.read(min(left, _PIECE))
            left -= len(waiting)
            if not waiting:
                raise zipfile.BadZipFile(f"{info.filename} is cut off")
        piece = inflate.decompress(waiting, _PIECE)
        waiting = inflate.unconsumed_tail
        yield piece


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join many small pieces to fewer: a call for each row would take longer than its work."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size > _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _known(path: Path) -> None:
    """Refuse what is no workbook of the two formats, by its name."""
    suffix = path.suffix.lower()
    if not path.is_file():
        raise UsageError(f"there is no workbook {path}")
    if suffix in _OTHER_FORMATS:
        form = _OTHER_FORMATS[suffix]
        raise UsageError(f"{path} is {form}: save it in Excel as .xlsx or .xlsm first")
    if suffix not in _READ:
        raise UsageError(f"{path} is no Excel workbook: only .xlsx and .xlsm can be refreshed")
