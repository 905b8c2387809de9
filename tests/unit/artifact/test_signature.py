"""Whose a model directory is: what one key signed is opened with that key alone, as it was signed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.artifact.directory import kind_of, load_model, save_model, verify, write_model
from cytomol.artifact.signature import (
    PASSWORD,
    VERIFY_KEY,
    made_here,
    new_key,
    require_signature,
    sign_manifest,
)
from cytomol.errors import ConfigError, CytomolError, ModelDirectoryError, OutputError
from cytomol.files import atomic_directory, written_files


def saved(place: Path, value: float = 1.0) -> Path:
    """Save a model with another one inside, as a predictor holds its backbone."""
    with atomic_directory(place) as directory:
        for folder, kind in ((directory / "backbone", "backbone"), (directory, "predictor")):
            folder.mkdir(exist_ok=True)
            weights = {"a": torch.full((3,), value)}
            write_model(folder, kind=kind, config={"x": 1}, weights=weights, statistics={}, texts={})
    return place


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return new_key(tmp_path_factory.mktemp("keys") / "mine.pem")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: tuple[Path, Path]) -> Path:
    place = saved(tmp_path_factory.mktemp("signed") / "model")
    sign_manifest(place, keys[0])
    return place


@pytest.fixture
def copy(signed: Path, tmp_path: Path) -> Path:
    shutil.copytree(signed, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, keys: tuple[Path, Path]) -> None:
    monkeypatch.setenv(VERIFY_KEY, str(keys[1]))


@pytest.mark.usefixtures("asked")
def test_what_the_key_signed_is_opened_and_so_is_what_lies_in_it(signed: Path) -> None:
    assert load_model(signed, kind="predictor").weights["a"].tolist() == [1, 1, 1]
    assert load_model(signed / "backbone", kind="backbone").config == {"x": 1}
    assert kind_of(signed) == "predictor"


def test_a_signature_is_no_stranger_in_a_directory(copy: Path) -> None:
    assert verify(copy)["kind"] == "predictor"
    assert "manifest.sig" in (written_files(copy) or ())
    save_model(copy, kind="backbone", config={}, weights={}, force=True)
    assert not (copy / "manifest.sig").exists(), "another model is not signed by the old one's signature"


@pytest.mark.usefixtures("asked")
def test_a_model_without_a_signature_is_refused(tmp_path: Path) -> None:
    place = saved(tmp_path / "model")
    for call in (load_model, verify, kind_of):
        with pytest.raises(ModelDirectoryError, match="is not signed"):
            call(place)
        with pytest.raises(ModelDirectoryError, match="is not signed"):
            call(place / "backbone")
    with made_here():
        assert kind_of(place) == "predictor"


def test_another_key_opens_nothing(signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, public = new_key(tmp_path / "other.pem")
    monkeypatch.setenv(VERIFY_KEY, str(public))
    with pytest.raises(ModelDirectoryError, match="another key's"):
        load_model(signed)


@pytest.mark.usefixtures("asked")
def test_a_model_that_was_sealed_again_is_refused_before_its_manifest_is_read(
    copy: Path, tmp_path: Path
) -> None:
    other = saved(tmp_path / "other", 2.0)
    shutil.copy(copy / "manifest.sig", other)
    with pytest.raises(ModelDirectoryError, match="one of them was altered"):
        load_model(other)
    (copy / "manifest.json").write_text("no JSON at all")
    with pytest.raises(ModelDirectoryError, match="one of them was altered"):
        kind_of(copy)


@pytest.mark.usefixtures("asked")
def test_the_inner_directory_is_the_one_that_was_signed(copy: Path, tmp_path: Path) -> None:
    other = saved(tmp_path / "other", 2.0)
    shutil.rmtree(copy / "backbone")
    shutil.copytree(other / "backbone", copy / "backbone")
    with pytest.raises(ModelDirectoryError, match="around it lists"):
        load_model(copy / "backbone")
    shutil.copytree(other / "backbone", copy / "unlisted")
    with pytest.raises(ModelDirectoryError, match="around it lists"):
        kind_of(copy / "unlisted")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_bit_of_any_file_can_change(
    data: st.DataObject, signed: Path, keys: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("bit") / "model"
    shutil.copytree(signed, place)
    files = sorted(path for path in place.rglob("*") if path.is_file() and not path.name.startswith("."))
    file = data.draw(st.sampled_from(files))
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VERIFY_KEY, str(keys[1]))
        with pytest.raises(CytomolError) as error:
            load_model(place)
    assert "\n" not in str(error.value)
    shutil.rmtree(place)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("content", [b"", b"x" * 63, b"x" * 64, b"x" * 100_000])
def test_what_is_no_signature_is_refused(copy: Path, content: bytes) -> None:
    (copy / "manifest.sig").write_bytes(content)
    with pytest.raises(ModelDirectoryError):
        load_model(copy)


def test_a_signature_is_replaced_on_demand_alone(copy: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, _ = new_key(tmp_path / "other.pem")
    before = (copy / "manifest.sig").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        sign_manifest(copy, private)
    assert (copy / "manifest.sig").read_bytes() == before
    sign_manifest(copy, private, force=True)
    assert (copy / "manifest.sig").read_bytes() != before


def test_a_new_key_is_its_owners_and_replaces_none(tmp_path: Path) -> None:
    private, public = new_key(tmp_path / "key")
    assert private.stat().st_mode & 0o77 == 0
    assert "PRIVATE" in private.read_text()
    assert "PRIVATE" not in public.read_text()
    before = private.read_bytes()
    with pytest.raises(OutputError, match="exists"):
        new_key(tmp_path / "key")
    public.unlink()
    with pytest.raises(OutputError, match="exists"):
        new_key(tmp_path / "key")
    assert private.read_bytes() == before
    assert not public.exists()


def test_keys_that_are_none_are_told_so(
    signed: Path, keys: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem, text = serialization.Encoding.PEM, tmp_path / "text"
    text.write_text("no key")
    elliptic = ec.generate_private_key(ec.SECP256R1())
    other = tmp_path / "ec.pem"
    no_lock = serialization.NoEncryption()
    other.write_bytes(elliptic.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_lock))
    shown = tmp_path / "ec.pub"
    shown.write_bytes(
        elliptic.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for wrong in (tmp_path / "absent", tmp_path, text, other, keys[1]):
        with pytest.raises(ConfigError):
            sign_manifest(signed, wrong, force=True)
    for wrong in (tmp_path / "absent", tmp_path, text, shown, keys[0]):
        monkeypatch.setenv(VERIFY_KEY, str(wrong))
        with pytest.raises(ConfigError):
            require_signature(signed)


def test_a_key_with_a_password(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    locked = tmp_path / "locked.pem"
    lock = serialization.BestAvailableEncryption(b"word")
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked.write_bytes(Ed25519PrivateKey.generate().private_bytes(pem, form, lock))
    with pytest.raises(ConfigError, match=PASSWORD):
        sign_manifest(copy, locked, force=True)
    monkeypatch.setenv(PASSWORD, "another")
    with pytest.raises(ConfigError):
        sign_manifest(copy, locked, force=True)
    monkeypatch.setenv(PASSWORD, "word")
    assert sign_manifest(copy, locked, force=True).stat().st_size == 64


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_openssl_makes_the_same(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def openssl(*words: str | Path) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    key, public, signature = tmp_path / "key.pem", tmp_path / "key.pub", copy / "manifest.sig"
    openssl("genpkey", "-algorithm", "ed25519", "-out", key)
    openssl("pkey", "-in", key, "-pubout", "-out", public)
    sign_manifest(copy, key, force=True)
    ours = signature.read_bytes()
    manifest = copy / "manifest.json"
    openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", manifest, "-out", signature)
    assert signature.read_bytes() == ours
    openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", manifest, "-sigfile", signature
    )
    monkeypatch.setenv(VERIFY_KEY, str(public))
    assert kind_of(copy) == "predictor"


def test_the_shipped_backbone_is_as_trusted_as_the_code(
    keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VERIFY_KEY, str(keys[1]))
    assert kind_of("default") == "backbone"
