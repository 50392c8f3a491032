"""Pydantic models of many shapes, as users write them for their own job types."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AnyUrl, BaseModel, ConfigDict, Field, conlist


class Flat(BaseModel):
    name: str
    age: int
    weight: float
    is_alive: bool


class Limited(BaseModel):
    """A name, a text and a number within limits."""

    name: str = Field(min_length=3, max_length=40, description="Given name and surname.")
    text: str = Field(max_length=600)
    strength: int = Field(ge=1, le=20)
    luck: float = Field(gt=0.0, lt=1.0)
    steps: int = Field(gt=0, lt=10, multiple_of=2)


class WithDefaults(BaseModel):
    name: str
    title: str = "Sir"
    rank: int = 3
    tags: list[str] = Field(default_factory=list)
    motto: str | None = None


class Item(BaseModel):
    """A thing that is carried."""

    name: str = Field(max_length=30)
    value: int = Field(ge=0)


class Nested(BaseModel):
    owner: Item = Field(description="The first of them.")
    things: list[Item] = Field(min_length=1, max_length=4, description="What is carried.")
    spare: Item | None = Field(default=None, description="A spare one.")
    matrix: list[list[int]]


class Kind(Enum):
    SWORD = "sword"
    BOW = "bow"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Literals(BaseModel):
    kind: Kind
    size: Size = Size.SMALL
    mood: Literal["glad", "sad"]
    only: Literal["one"]
    number: Literal[1, 2]
    flag: Literal[True]
    maybe: Literal["a", "b"] | None = None
    mixed: Literal["a", 1] | None
    perhaps: Kind | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Unions(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    other: Cat | Dog
    value: int | str | None
    numbers: list[int | None]


class Node(BaseModel):
    name: str
    children: list[Node] = Field(default_factory=list["Node"])


class Tree(BaseModel):
    root: Node


class Arrays(BaseModel):
    exactly: conlist(str, min_length=3, max_length=3)  # pyright: ignore[reportInvalidTypeForm]
    unique: set[str] = Field(min_length=1)
    pair: tuple[str, int]
    many: tuple[int, ...]


class Formats(BaseModel):
    day: date
    moment: datetime
    key: UUID
    address: Annotated[str, Field(json_schema_extra={"format": "email"})] | None = None
    page: AnyUrl
    price: Decimal
    code: str = Field(pattern=r"^[A-Z]{2}\d+$", max_length=8)
    word: str = Field(pattern="[a-z]+")
    plain: str = Field(pattern="^[a-z]{3}$")


class Open(BaseModel):
    """Properties of any name, and values of any type."""

    scores: dict[str, int]
    notes: dict[str, Item]
    anything: Any
    bag: list[Any]
    free: dict[str, Any]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", title="A closed thing", json_schema_extra={"x-note": "ours"})

    name: str = Field(json_schema_extra={"x-pattern": "[A-Z][a-z]+"}, examples=["Ann"], deprecated=True)
    initial: str = Field(alias="default")
    properties: dict[str, str] = Field(default_factory=dict)
    type: str
    x_ray: str = Field(alias="x-ray")


class Recursive(BaseModel):
    name: str
    next: Recursive | None = None


class Wide(BaseModel):
    """More optional properties, and more unions, than Anthropic takes."""

    a: str | None = None
    b: str | None = None
    c: str | None = None
    d: str | None = None
    e: str | None = None
    f: str | None = None
    g: str | None = None
    h: str | None = None
    i: str | None = None
    j: str | None = None
    k: str | None = None
    l: str | None = None  # noqa: E741 (one letter each)
    m: str | None = None
    n: str | None = None
    o: str | None = None
    p: str | None = None
    q: str | None = None
    r: str | None = None


PLAIN: tuple[type[BaseModel], ...] = (Flat, Limited, WithDefaults, Nested, Literals, Unions)
"""Shapes that every provider can be held to in its strictest mode."""
SHAPES: tuple[type[BaseModel], ...] = (*PLAIN, Tree, Arrays, Formats, Open, Closed, Recursive, Wide)
