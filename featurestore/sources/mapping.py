"""Mapping files: TOML that a person writes, read strictly, with every mistake named by its key."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import TypeVar

from engine.errors import BadInput

T = TypeVar("T")


def read(path: Path, kind: type[T]) -> T:
    """The dataclass ``kind`` out of a TOML file. Raises BadInput that names the mistake and its key."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(tomllib.loads(content_of(path).decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not TOML: {error}", file=str(path)) from None
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(first["msg"], file=str(path), column=".".join(map(str, first["loc"])) or None) from None
    except BadInput as error:
        raise BadInput(error.problem, file=str(path)) from None


def content_of(path: Path) -> bytes:
    """Raises BadInput for a file that cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=str(path)) from None


def digest(*contents: bytes) -> bytes:
    """One sha256 of several files: the same files read by the same mapping are the same release."""
    return hashlib.sha256(b"".join(hashlib.sha256(c).digest() for c in contents)).digest()
