"""The files of a data set, found in a folder or downloaded, and checked by their hashes.

A file is checked by its unpacked content, since the same content can be packed in many ways. A
download is checked twice: packed, before it gets its name in the cache, and then like any file.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from volr.errors import DataError
from volr.experiments.datasets.idx import Bytes, decode, idx_size, unpack
from volr.experiments.datasets.packages import package

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DATA_VARIABLE = "VOLR_DATA"


@dataclass(frozen=True)
class IdxFile:
    """One file: its unpacked ``name``, the ``shape`` of its values, and two SHA-256 hashes.

    ``content`` is the hash of the unpacked file, ``packed`` that of the gzip file on the mirrors.
    """

    name: str
    shape: tuple[int, ...]
    content: str
    packed: str

    @property
    def gzipped(self) -> str:
        return f"{self.name}.gz"

    @property
    def spellings(self) -> tuple[str, ...]:
        """The file names that are accepted in a folder, in order of preference."""
        dotted = self.name.replace("-idx", ".idx")
        return (self.gzipped, self.name, f"{dotted}.gz", dotted)


@dataclass(frozen=True)
class Archive:
    """Files that belong together, and their mirrors: addresses that end in ``/``.

    In a folder of several data sets their subfolder is ``name``. In ``$VOLR_DATA`` the files of
    an archive that is ``apart`` are always there, since those of another have the same names.
    ``installed`` is the folder where a package of the system puts them.
    """

    name: str
    files: tuple[IdxFile, ...]
    mirrors: tuple[str, ...]
    installed: Path | None = None
    apart: bool = False


def read_archive(
    archive: Archive, data_dir: Path | None, others: Sequence[Archive] = ()
) -> tuple[Bytes, ...]:
    """The values of every file, in the archive's order.

    The error for a file of one of the ``others`` names that one.

    They come from ``folder_of``, or else from the user's cache. Only in the cache, missing or
    damaged files are downloaded. Raises ``DataError`` if a file is missing, damaged, another file
    or cannot be downloaded, and ``MissingError`` if the package for downloads is missing.
    """
    folder = folder_of(archive, data_dir)
    paths = find(archive, folder) if folder else download(archive, cache_folder(archive))
    foreign = {
        file.content: each.name
        for each in others
        if each.name != archive.name
        for file in each.files
    }
    return tuple(
        read(file, path, foreign, _help(archive))
        for file, path in zip(archive.files, paths, strict=True)
    )


def folder_of(archive: Archive, data_dir: Path | None) -> Path | None:
    """Where the files are on this machine: the first of these places, or None.

    ``data_dir``, or its subfolder with the archive's name; the same of the folder in
    ``$VOLR_DATA``; where a package of the system puts them.
    """
    if data_dir is not None:
        within = data_dir / archive.name
        return within if within.is_dir() else data_dir
    if (folder := folder_of_environment()) is not None:
        if (within := folder / archive.name).is_dir():
            return within
        if not archive.apart:
            return folder
    if archive.installed is not None and archive.installed.is_dir():
        return archive.installed
    return None


def find(archive: Archive, folder: Path) -> tuple[Path, ...]:
    """The archive's files in a folder, gzipped or not; ``DataError`` names all missing ones."""
    if not folder.is_dir():
        wrong = "is a file" if folder.exists() else "is not there"
        raise DataError(f"the data folder {folder} {wrong}", help=_help(archive))
    found = {
        file.name: [path for s in file.spellings if (path := folder / s).is_file()]
        for file in archive.files
    }
    missing = [name for name, paths in found.items() if not paths]
    if missing:
        raise DataError(
            f"the data folder {folder} lacks {', '.join(missing)} (with or without .gz)",
            help=_help(archive),
        )
    return tuple(paths[0] for paths in found.values())


def download(archive: Archive, folder: Path) -> tuple[Path, ...]:
    """The archive's files in ``folder``, downloaded from the first mirror with the right content.

    A file with the right packed hash stays, and any other is replaced. A file gets its name only
    when it is complete and checked, so an interrupted download leaves no wrong file.
    """
    return tuple(_fetch(archive, file, folder) for file in archive.files)


def read(
    file: IdxFile, path: Path, foreign: Mapping[str, str] | None = None, way: str | None = None
) -> Bytes:
    """The values in ``path``; ``DataError`` if they are not those of ``file``.

    ``foreign`` are names of other data sets by the hashes of their files' contents; ``way`` is the
    help of the error for a file of one of them.
    """
    content = unpack(path, idx_size(file.shape))
    values = decode(content, file.shape, path)
    found = hashlib.sha256(content).hexdigest()
    if found != file.content and foreign is not None and found in foreign:
        raise DataError(
            f"{path} is the {file.name} of {foreign[found]}, another data set", help=way
        )
    if found != file.content:
        raise DataError(
            f"{path}: not the original {file.name}: its unpacked content has the SHA-256 {found}, "
            f"expected {file.content}",
            help="put the original file in its place",
        )
    return values


def cache_folder(archive: Archive) -> Path:
    """The folder for downloads, in the user's cache."""
    return Path(_pooch(archive).os_cache("volr")) / archive.name


def _fetch(archive: Archive, file: IdxFile, folder: Path) -> Path:
    pooch = _pooch(archive)
    failures: list[str] = []
    for mirror in archive.mirrors:
        url = mirror + file.gzipped
        try:
            path = pooch.retrieve(
                url, known_hash=f"sha256:{file.packed}", fname=file.gzipped, path=folder
            )
        except (OSError, ValueError) as error:  # the network or the disk, a wrong hash
            failures.append(f"{url}: {error}")
        else:
            return Path(path)
    raise DataError(
        "\n  - ".join([f"{file.gzipped} could not be downloaded to {folder}:", *failures]),
        help=_help(archive),
    )


def folder_of_environment() -> Path | None:
    """The folder in ``$VOLR_DATA``, or None."""
    folder = os.environ.get(DATA_VARIABLE)
    return Path(folder) if folder else None


def _pooch(archive: Archive) -> Any:
    return package("pooch", "pooch", f"downloading {archive.name}")


def _help(archive: Archive) -> str:
    count = len(archive.files)
    folder = f"${DATA_VARIABLE}/{archive.name}" if archive.apart else f"${DATA_VARIABLE}"
    return (
        f"name the folder with the {count} files of {archive.name} by --data DIR or {folder}; "
        f"they can be had from {archive.mirrors[0]}"
    )
