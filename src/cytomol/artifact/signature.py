"""Whose a model directory is: an Ed25519 signature of its manifest, which holds the hash of every file.

The signature is 64 bytes in a file of its own, over the manifest's bytes as they stand, so that `openssl`
makes and checks the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytomol.artifact.model_digest import MANIFEST
from cytomol.artifact.shipped import is_shipped
from cytomol.counted import counted
from cytomol.errors import ConfigError, MissingDependencyError, ModelDirectoryError
from cytomol.files import SIGNATURE, atomic_file, sha256

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["PASSWORD", "VERIFY_KEY", "made_here", "new_key", "require_signature", "sign_manifest"]

VERIFY_KEY = "CYTOMOL_VERIFY_KEY"
"""Variable that names a public key; with it no model directory is opened that this key has not signed.

A variable, because the processes that a run starts must hold to it as well.
"""
PASSWORD = "CYTOMOL_KEY_PASSWORD"  # noqa: S105 - the name of a variable
_LONGEST_KEY = 65536
_LENGTH = 64  # bytes of an Ed25519 signature
_MAKE_KEY = "openssl genpkey -algorithm ed25519 -out KEY, or cytomol sign --new-key, makes one"
_MAKE_PUBLIC = "it is what openssl pkey -in KEY -pubout writes"
_made_here: ContextVar[bool] = ContextVar("made_here", default=False)


@contextmanager
def made_here() -> Iterator[None]:
    """Ask for no signature within: this run made what is opened, or the run that it goes on with.

    Examples
    --------
    >>> with made_here():
    ...     require_signature(Path("nowhere"))
    """
    token = _made_here.set(True)
    try:
        yield
    finally:
        _made_here.reset(token)


def require_signature(directory: Path) -> None:
    """Refuse a model directory that the key of ``CYTOMOL_VERIFY_KEY`` has not signed; without it, do nothing.

    A directory within a signed one is signed by it: its manifest stands in the outer one with its hash. The
    backbone that comes with cytomol is as trusted as the code beside it.

    Parameters
    ----------
    directory
        The model directory; nothing of it but the manifest and the signature is read.

    Raises
    ------
    ModelDirectoryError
        If there is no signature, or it is not that of this manifest by this key.
    ConfigError
        If the key is none.
    MissingDependencyError
        Without the package cryptography.
    """
    named = os.environ.get(VERIFY_KEY, "")
    if not named or _made_here.get() or is_shipped(directory):
        return
    key = _public_key(Path(named))
    holder = directory
    if not (directory / SIGNATURE).is_file() and (directory.parent / SIGNATURE).is_file():
        holder = directory.parent
    _check(holder, key, named)
    if holder != directory:
        inner = f"{directory.name}/{MANIFEST}"
        listed = json.loads((holder / MANIFEST).read_bytes()).get("files", {}).get(inner)
        if listed != sha256(directory / MANIFEST):
            raise ModelDirectoryError(
                "is not the manifest that the signed directory around it lists",
                where=str(directory / MANIFEST),
                hint="copy the whole model directory again",
            )


def sign_manifest(directory: Path, key: str | Path, *, force: bool = False) -> Path:
    """Sign the manifest of a model directory; return the signature's file.

    What the manifest lists is not looked at: verify the directory first.

    Parameters
    ----------
    directory
        A model directory.
    key
        File of an Ed25519 private key (PEM); the variable CYTOMOL_KEY_PASSWORD opens one with a password.
    force
        Replace a signature that is there.

    Raises
    ------
    ConfigError
        If the key is none, or is locked.
    OutputError
        If there is a signature (without ``force``), or none can be written.
    """
    signature = _private_key(Path(key)).sign((directory / MANIFEST).read_bytes())
    with atomic_file(directory / SIGNATURE, force=force) as temporary:
        temporary.write_bytes(signature)
    return directory / SIGNATURE


def new_key(path: str | Path) -> tuple[Path, Path]:
    """Make an Ed25519 key: a private file that its owner alone may read, and a public one beside it.

    Returns
    -------
    tuple of Path
        The private key, and the public one: the same name with ``.pub`` behind it.

    Raises
    ------
    OutputError
        If one of the files exists or cannot be written.
    """
    _require_library()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Path(path)
    public = private.with_name(f"{private.name}.pub")
    key = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    with atomic_file(public) as shown, atomic_file(private) as hidden:
        shown.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
        hidden.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
    private.chmod(0o600)
    return private, public


def _check(directory: Path, key: Ed25519PublicKey, named: str) -> None:
    """Raise where the signature in a directory is not that of its manifest by a key."""
    from cryptography.exceptions import InvalidSignature

    file = directory / SIGNATURE
    try:
        if not file.is_file():
            raise ModelDirectoryError(
                f"is not signed, and {named} is asked for",
                where=str(directory),
                hint="whoever made the model signs it with cytomol sign",
            )
        if file.stat().st_size != _LENGTH:
            raise ModelDirectoryError(
                f"is no signature: it has {counted(file.stat().st_size, 'byte', comma=False)}, not {_LENGTH}",
                where=str(file),
            )
        key.verify(file.read_bytes(), (directory / MANIFEST).read_bytes())
    except InvalidSignature:
        raise ModelDirectoryError(
            f"is not {named}'s signature of this manifest: another key's, or one of them was altered",
            where=str(file),
            hint="do not use the model unless you know why",
        ) from None
    except OSError as error:
        raise ModelDirectoryError(f"cannot be read: {error.strerror or error}", where=str(file)) from None


def _public_key(path: Path) -> Ed25519PublicKey:
    _require_library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = _loaded(path, load_pem_public_key, _MAKE_PUBLIC)
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(
            f"is a key of another kind: {type(key).__name__}", where=str(path), hint=_MAKE_PUBLIC
        )
    return key


def _private_key(path: Path) -> Ed25519PrivateKey:
    _require_library()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    password = os.environ.get(PASSWORD, "").encode() or None
    key = _loaded(path, lambda data: load_pem_private_key(data, password), _MAKE_KEY)
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"is a key of another kind: {type(key).__name__}", where=str(path), hint=_MAKE_KEY)
    return key


def _loaded(path: Path, load: Any, hint: str) -> Any:
    """Return the key in a PEM file."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        with path.open("rb") as handle:
            data = handle.read(_LONGEST_KEY)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"key cannot be read: {reason}", where=str(path), hint=hint) from None
    try:
        return load(data)
    except TypeError:  # a password where there is none, or none where there is one
        raise ConfigError(
            "key does not open", where=str(path), hint=f"its password, if it has one, goes into {PASSWORD}"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError("holds no key that can be used", where=str(path), hint=hint) from None


def _require_library() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise MissingDependencyError(
            "signatures need cryptography, which is not installed", hint='pip install "cytomol[sign]"'
        ) from None
