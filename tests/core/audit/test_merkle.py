"""The Merkle tree against the recursion that RFC 9162 writes down, and published roots."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import merkle as reference

from bot4_core.audit.merkle import (
    MerkleTree,
    Subtree,
    consistency_proof,
    consistent,
    included,
    inclusion_proof,
    leaf_hash,
)

# inputs and roots of the Certificate Transparency reference implementation
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
)
entries_strategy = st.lists(st.binary(max_size=3), min_size=1, max_size=70)


def grown(entries: Sequence[bytes]) -> MerkleTree:
    tree = MerkleTree()
    for entry in entries:
        tree.add(leaf_hash(entry))
    return tree


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 9))
def test_entries_in_batches_grow_the_same_tree(looks: list[int], batch: int) -> None:
    tree, plain = MerkleTree(), MerkleTree()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot4_core.audit.merkle._BATCH", batch)
        for place, look in enumerate(looks):
            tree.add_entry(bytes([place]))
            plain.add(leaf_hash(bytes([place])))
            assert tree.size == plain.size
            if look == 0:
                assert tree.root() == plain.root()
    assert (tree.peaks, tree.root()) == (plain.peaks, plain.root())


def parts(entries: Sequence[bytes]) -> Subtree:
    return lambda low, high: reference.tree_hash(entries[low:high])


def test_published_roots_come_out() -> None:
    tree = MerkleTree()
    assert tree.root() == hashlib.sha256(b"").digest()
    for entry, root in zip(INPUTS, ROOTS, strict=True):
        tree.add(leaf_hash(bytes.fromhex(entry)))
        assert tree.root().hex() == root


@given(entries_strategy)
def test_the_root_is_that_of_the_recursion(entries: list[bytes]) -> None:
    tree = grown(entries)
    assert tree.root() == reference.tree_hash(entries)
    again = MerkleTree(tree.size, tree.peaks)
    other = tree.copy()
    for grows in (tree, again):
        grows.add(leaf_hash(b"more"))
        assert grows.root() == reference.tree_hash([*entries, b"more"])
    assert other.root() == reference.tree_hash(entries)


@given(entries_strategy, st.data())
def test_inclusion_is_proved_and_nothing_else(entries: list[bytes], data: st.DataObject) -> None:
    size = len(entries)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, parts(entries))
    assert list(proof) == reference.path(index, entries)
    leaf, root = leaf_hash(entries[index]), grown(entries).root()
    assert included(leaf, index, size, proof, root)
    assert not included(leaf_hash(b"another"), index, size, proof, root)
    assert not included(leaf, index, size, proof, bytes(32))
    assert not included(leaf, index, size, (*proof, bytes(32)), root)
    assert not included(leaf, size, size, proof, root)
    if proof:
        assert not included(leaf, index, size, proof[:-1], root)
        place = data.draw(st.integers(0, len(proof) - 1))
        wrong = (*proof[:place], bytes(32), *proof[place + 1 :])
        assert not included(leaf, index, size, wrong, root)


@given(entries_strategy, st.data())
def test_an_earlier_state_is_proved_and_nothing_else(
    entries: list[bytes], data: st.DataObject
) -> None:
    size = len(entries)
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(old, size, parts(entries))
    assert list(proof) == reference.proof(old, entries)
    before, root = grown(entries[:old]).root(), grown(entries).root()
    assert consistent(old, before, size, root, proof)
    assert not consistent(old, bytes(32), size, root, proof)
    assert not consistent(old, before, size, bytes(32), proof)
    assert not consistent(old, before, size, root, (*proof, bytes(32)))
    assert not consistent(0, before, size, root, proof)
    if proof:
        assert not consistent(old, before, size, root, proof[:-1])
        assert not consistent(old, before, size, root, ())


@given(entries_strategy, st.data())
def test_a_rewritten_history_has_no_proof(entries: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(entries)))
    place = data.draw(st.integers(0, old - 1))
    rewritten = [*entries]
    rewritten[place] += b"!"
    before, root = grown(entries[:old]).root(), grown(rewritten).root()
    proof = consistency_proof(old, len(entries), parts(rewritten))
    assert not consistent(old, before, len(entries), root, proof)


def test_an_empty_proof_shows_nothing_of_a_tree_with_parts() -> None:
    before, root = grown([b"x"] * 3).root(), grown([b"x"] * 5).root()
    assert not consistent(3, before, 5, root, ())


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    for index, size in ((-1, 3), (3, 3), (0, 0)):
        with pytest.raises(IndexError, match=f"leaf {index} is not in a tree of {size}"):
            inclusion_proof(index, size, parts([b"x"] * 3))
    for old, size in ((0, 3), (4, 3)):
        with pytest.raises(IndexError, match=f"{old} leaves is no earlier state"):
            consistency_proof(old, size, parts([b"x"] * 3))


def test_a_tree_has_one_peak_for_each_bit_of_its_size() -> None:
    assert len(grown([b"x"] * 13).peaks) == 3
    with pytest.raises(ValueError, match="a tree of 5 leaves does not have 1 peaks"):
        MerkleTree(5, [bytes(32)])


def test_all_proofs_of_small_trees_hold() -> None:
    entries = [bytes([place]) for place in range(12)]
    roots = [grown(entries[:size]).root() for size in range(13)]
    for size in range(1, 13):
        for place in range(size):
            some = inclusion_proof(place, size, parts(entries))
            assert included(leaf_hash(entries[place]), place, size, some, roots[size])
            older = consistency_proof(place + 1, size, parts(entries))
            assert consistent(place + 1, roots[place + 1], size, roots[size], older)
