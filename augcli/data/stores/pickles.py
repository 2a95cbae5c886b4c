"""Pickles of plain content, such as the batches of CIFAR, read without running any of them.

A pickle is a program, and Python's own reader can be made to call anything. This one knows plain
values, lists, tables, tuples, and arrays of NumPy as bytes with a shape; it calls nothing, and
refuses all else.
"""

from __future__ import annotations

import pickletools
import warnings
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES: Final = 1 << 30
"""Bytes of the largest pickle that is read."""
MOST_STEPS: Final = 20_000_000
"""Steps of its program; the largest batch of CIFAR has less than half a million."""


class NotPlain(ValueError):
    """A pickle holds something else than plain content, or is damaged."""


@dataclass(slots=True)
class Array:
    """An array of NumPy as a pickle describes it.

    Attributes:
        shape: Its shape.
        kind: Its type, as NumPy writes it, such as ``u1``.
        data: Its bytes.
        is_fortran: Whether the first axis varies fastest.
    """

    shape: tuple[int, ...] = ()
    kind: str = ""
    data: bytes = b""
    is_fortran: bool = False


@dataclass(slots=True)
class _Kind:
    """A type of NumPy."""

    name: str
    order: str = "|"


@dataclass(frozen=True, slots=True)
class _Name:
    """A function or class that a pickle names; it is never called."""

    module: str
    name: str


_MARK: Final = object()
_ARRAY: Final = frozenset(
    _Name(module, "_reconstruct") for module in ("numpy.core.multiarray", "numpy._core.multiarray")
)
_FROM_BUFFER: Final = frozenset(
    _Name(module, "_frombuffer") for module in ("numpy.core.numeric", "numpy._core.numeric")
)
_TYPE: Final = _Name("numpy", "dtype")
_ENCODE: Final = _Name("_codecs", "encode")
_ALLOWED: Final = frozenset({*_ARRAY, *_FROM_BUFFER, _TYPE, _ENCODE, _Name("numpy", "ndarray")})
_BYTES: Final = frozenset({"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"})
_PLAIN: Final = _BYTES | frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING"}
    | {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
)
_VALUES: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: Final[dict[str, Callable[[], Any]]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def load_plain(data: bytes) -> Any:
    r"""Return the plain content of a pickle: arrays are :class:`Array`.

    Args:
        data: The whole pickle.

    Raises:
        NotPlain: It holds something else, or is damaged.

    Example:
        >>> import pickle
        >>> load_plain(pickle.dumps({"labels": [3, 1], b"data": b"\x00"}))
        {'labels': [3, 1], b'data': b'\x00'}
        >>> load_plain(pickle.dumps(print))
        Traceback (most recent call last):
        augcli.data.stores.pickles.NotPlain: it names builtins.print, which no plain content has
    """
    machine = _Machine()
    try:
        with warnings.catch_warnings():
            # Old pickles escape bytes in text, and Python warns of odd escapes.
            warnings.simplefilter("ignore")
            for opcode, value, _ in islice(pickletools.genops(data), MOST_STEPS):
                if opcode.name == "STOP":
                    return machine.result()
                machine.step(opcode.name, value)
    except NotPlain:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, AttributeError):
        raise NotPlain("it is damaged") from None
    raise NotPlain("it is too long")


class _Machine:
    """The stack and the memory of a pickle."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}

    def result(self) -> Any:
        (value,) = self._stack
        return value

    def step(self, name: str, value: Any) -> None:
        """Do one step of the program."""
        stack = self._stack
        if name in _PLAIN:
            # pickletools gives the text of old pickles as Latin-1, byte for byte.
            stack.append(value)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self._memory[value] = stack[-1]
        elif name == "MEMOIZE":
            self._memory[len(self._memory)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self._memory[value])
        elif name in _VALUES:
            stack.append(_VALUES[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("PROTO", "FRAME"):
            pass
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            self._name(value)
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(_made(stack.pop(), arguments))
        elif name == "BUILD":
            _set_state(stack[-2], stack.pop())
        else:
            self._collect(name)

    def _collect(self, name: str) -> None:
        """Do a step that puts values into a list, a table or a tuple."""
        stack = self._stack
        if name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name == "TUPLE":
            stack.append(tuple(self._since_mark()))
        elif name == "LIST":
            stack.append(self._since_mark())
        elif name == "DICT":
            values = self._since_mark()
            stack.append({})
            _set_items(stack[-1], values)
        elif name == "APPEND":
            value = stack.pop()
            _extend(stack[-1], [value])
        elif name == "APPENDS":
            values = self._since_mark()
            _extend(stack[-1], values)
        elif name == "SETITEM":
            values = [stack.pop(-2), stack.pop()]
            _set_items(stack[-1], values)
        elif name == "SETITEMS":
            values = self._since_mark()
            _set_items(stack[-1], values)
        else:
            raise NotPlain(f"it has a step {name}, which no plain content needs")

    def _since_mark(self) -> list[Any]:
        at = len(self._stack) - 1
        while self._stack[at] is not _MARK:
            at -= 1
        if at < 0:
            raise NotPlain("it is damaged")
        values = self._stack[at + 1 :]
        del self._stack[at:]
        return values

    def _name(self, value: str | None) -> None:
        """Take the name of a function or class: only those of arrays are known."""
        if value is None:
            name = _Name(self._stack.pop(-2), self._stack.pop())
        else:
            module, _, leaf = value.partition(" ")
            name = _Name(module, leaf)
        if not (isinstance(name.module, str) and isinstance(name.name, str)):
            raise NotPlain("it is damaged")
        if name not in _ALLOWED:
            raise NotPlain(f"it names {name.module}.{name.name}, which no plain content has")
        self._stack.append(name)


def _extend(target: Any, values: list[Any]) -> None:
    if type(target) is not list:
        raise NotPlain("it is damaged")
    target.extend(values)


def _set_items(target: Any, values: list[Any]) -> None:
    if type(target) is not dict:
        raise NotPlain("it is damaged")
    for key, value in zip(values[::2], values[1::2], strict=True):
        if type(key) not in (str, bytes, int):
            raise NotPlain("a table has a key that is neither text nor a number")
        target[key] = value


def _made(name: Any, arguments: Any) -> Any:
    """Return what a call would return, without calling anything."""
    if type(name) is not _Name or type(arguments) is not tuple:
        raise NotPlain("it is damaged")
    if name in _ARRAY:
        return Array()
    if name == _TYPE:
        return _Kind(_text(arguments[0]))
    if name == _ENCODE:
        # How Python 3 writes bytes for Python 2.
        text, encoding = arguments
        if encoding not in ("latin1", "latin-1"):
            raise NotPlain("it has text of another encoding than Latin-1")
        return _text(text).encode("latin-1")
    if name in _FROM_BUFFER:
        data, kind, shape, order = arguments
        return _filled(Array(), shape, kind, order == "F", data)
    raise NotPlain(f"it calls {name.module}.{name.name}, which no plain content needs")


def _set_state(target: Any, state: Any) -> None:
    if isinstance(target, Array):
        _, shape, kind, is_fortran, data = state
        _filled(target, shape, kind, bool(is_fortran), data)
    elif isinstance(target, _Kind):
        target.order = _text(state[1])
    else:
        raise NotPlain("it is damaged")


def _filled(array: Array, shape: Any, kind: Any, is_fortran: bool, data: Any) -> Array:
    if type(shape) is not tuple or not all(type(side) is int and side >= 0 for side in shape):
        raise NotPlain("an array has a shape that is none")
    if not isinstance(kind, _Kind):
        raise NotPlain("an array has a type that is none")
    if isinstance(data, str):
        data = data.encode("latin-1")
    if not isinstance(data, bytes | bytearray):
        raise NotPlain("an array holds objects and not numbers")
    array.shape, array.is_fortran, array.data = shape, is_fortran, bytes(data)
    array.kind = kind.name.lstrip("<>|=")
    if kind.order == ">":
        array.kind = f">{array.kind}"
    return array


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise NotPlain("it is damaged")
    return value
