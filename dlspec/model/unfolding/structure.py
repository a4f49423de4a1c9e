"""The layers of a network of Keras in order, as they are laid in the graph of a spec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dlspec.language.shapes import Path, Shape
from dlspec.model.graph import Borrowed
from dlspec.model.layers import LayerSpec, ModelItem, Wire
from dlspec.model.layers.base import Builder


@dataclass(frozen=True)
class Piece:
    """A layer of the network.

    Args:
        name: that of Keras, as the language takes it.
        layer: in the language.
        inputs: numbers of what it takes: first the inputs of the network from 0, then the pieces.
        place: of the layer that has its weights, in Keras's network: names of the models around it, and its own; empty
            where Keras has no layer there.
        rank: its place in `model.layers` of Keras; layers of models inside have that of the model.
        again: the number of the piece whose weights it shares.
    """

    name: str
    layer: LayerSpec
    inputs: tuple[int, ...]
    place: tuple[str, ...] = ()
    rank: int | None = None
    again: int | None = None


@dataclass(frozen=True)
class Structure:
    """A network of Keras.

    Args:
        inputs: shapes of what it takes, None for a size of which it takes any.
        end: the number of what comes out.
        ranks: how many layers Keras counts, input layers included.
    """

    inputs: tuple[Shape, ...]
    pieces: tuple[Piece, ...]
    end: int
    ranks: int

    def number(self, index: int) -> int:
        """Of a piece."""
        return len(self.inputs) + index

    def up_to(self, number: int) -> Structure:
        """The part that leads to a piece, which ends there; `ranks` counts what is left."""
        first = len(self.inputs)
        needed, left = set[int](), [number]
        while left:
            at = left.pop()
            if at in needed:
                continue
            needed.add(at)
            if at >= first:
                piece = self.pieces[at - first]
                left += [*piece.inputs, *([] if piece.again is None else [piece.again])]
        kept = [at for at in range(first + len(self.pieces)) if at < first or at in needed]
        numbers = {at: i for i, at in enumerate(kept)}
        found = [self.pieces[at - first] for at in kept if at >= first]
        order = {rank: i + first for i, rank in enumerate(sorted({x.rank for x in found if x.rank is not None}))}
        pieces = tuple(
            replace(
                piece,
                inputs=tuple(numbers[at] for at in piece.inputs),
                again=None if piece.again is None else numbers[piece.again],
                rank=None if piece.rank is None else order[piece.rank],
            )
            for piece in found
        )
        return Structure(self.inputs, pieces, numbers[number], first + len(order))


def lay_structure(
    structure: Structure,
    builder: Builder,
    wires: Sequence[Wire],
    path: Path,
    written: ModelItem,
    *,
    network: str,
    trained: int | None,
    by_rank: bool,
) -> Wire:
    """Lays the layers of a network and returns what comes out. Which are trained is said here, not in its file.

    Args:
        wires: what leads to each of its inputs.
        network: the name of the network, with which the names of its layers begin.
        trained: how many of its last layers are trained, as Keras counts; None: all of them.
        by_rank: whether its layers are found by their place and not by their names, which Keras counts through a
            process.
    """
    known = [*wires]
    first_trained = None if trained is None else structure.ranks - trained
    names: list[str] = []
    for piece in structure.pieces:
        early = first_trained is not None and (piece.rank is None or piece.rank < first_trained)
        held = early and piece.layer.has_weights
        takes = [known[number] for number in piece.inputs]
        rank = piece.rank if by_rank else None
        borrowed = Borrowed(network, piece.place, held, rank)
        if piece.again is not None:
            known.append(
                builder.place_again(names[piece.again - len(structure.inputs)], takes, path, written, borrowed)
            )
        else:
            layer = piece.layer.model_copy(update={"name": f"{network}_{piece.name}", "trainable": not held})
            known.append(builder.place(layer, takes, path, written, borrowed))
        names.append(known[-1].source)
    return known[structure.end]
