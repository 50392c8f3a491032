"""Files and modules that users name give their job types, or one line with the place and what is expected there."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loresmith import job_types
from loresmith.bootstrap import build_registry
from loresmith.jobs import JobModule, JobModuleError, JobRegistry, discover

GOOD = '''\
from pydantic import BaseModel

from loresmith import JobContext, job_type


class Order(BaseModel):
    """A payload."""

    name: str


@job_type("greet")
async def greet(ctx: JobContext[Order]) -> str:
    """Greet somebody"""
    return f"Hello {ctx.payload.name}"
'''

Write = Callable[..., str]


@pytest.fixture(autouse=True)
def own_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules of a test and their directories are gone after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file into the working directory and returns its name."""

    def write(text: str, name: str = "my_jobs.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    return write


def refusal(*names: str) -> str:
    with pytest.raises(JobModuleError) as caught:
        discover(None, names)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def names_in(registry: JobRegistry) -> list[str]:
    return [kind.name for kind in registry]


def test_a_file_adds_its_job_types_to_the_products(write: Write) -> None:
    registry = build_registry([write(GOOD)])

    assert registry.get("greet").description == "Greet somebody"
    assert "create_world" in registry


def test_only_leaves_the_products_job_types_out(write: Write) -> None:
    assert names_in(build_registry([write(GOOD)], product=False)) == ["greet"]


def test_a_product_job_type_that_a_file_imports_is_kept(write: Write) -> None:
    name = write(f"from loresmith.job_types.generate_relics import generate_relics\n{GOOD}")

    assert names_in(build_registry([name], product=False)) == ["generate_relics", "greet"]
    assert "create_world" in build_registry([name])


def test_a_module_is_found_below_the_working_directory(write: Write) -> None:
    write("", "my_app/__init__.py")
    write(GOOD, "my_app/tasks.py")

    assert names_in(discover(None, ["my_app.tasks"])) == ["greet"]


def test_a_file_in_a_package_imports_from_its_package(write: Write) -> None:
    write("", "my_app/__init__.py")
    write("NAME = 'greet'", "my_app/words.py")
    name = write("from .words import NAME\n" + GOOD.replace('"greet"', "NAME"), "my_app/tasks.py")

    assert names_in(discover(None, [name])) == ["greet"]
    assert JobModule.find(name).root == Path.cwd()


def test_a_file_imports_what_is_next_to_it(write: Write) -> None:
    write("NAME = 'greet'", "inner/my_words.py")
    name = write("from my_words import NAME\n" + GOOD.replace('"greet"', "NAME"), "inner/my_jobs.py")

    assert names_in(discover(None, [name])) == ["greet"]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("class Order(BaseModel):", "class Order(BaseModel)", 6, "expected ':'"),
        ("from pydantic", "from pydantik", 1, "cannot import: No module named 'pydantik': install it, or"),
        ("import BaseModel", "import BaseMode", 1, "cannot import: cannot import name 'BaseMode'"),
        ("async def greet", "def greet", 12, "handler 'greet' is not async: expected `async def greet(...)`"),
        (" -> str:", ":", 12, "handler 'greet' does not say what it returns: expected an annotation such as"),
        (
            "class Order(BaseModel)",
            "class Order",
            12,
            "handler 'greet' has the payload Order: expected a pydantic model",
        ),
        ("JobContext[Order]", "JobContext[dict]", 12, "has the payload dict: expected a pydantic model"),
        ("ctx: JobContext[Order]", "ctx", 12, "must take one argument annotated JobContext[<payload model>]"),
        ("ctx: JobContext[Order]", "ctx: 'JobContext[Ordr]'", 12, "the name 'Ordr', which is not known when it runs"),
        ("-> str", "-> JobContext", 12, "returns JobContext, which cannot be written as JSON"),
        ('@job_type("greet")', "@job_type", 12, 'job_type needs a name: expected @job_type("<name>")'),
        ('"greet"', '"greet you"', 12, "job type 'greet you' must match"),
        ("name: str", "name: str = 1 / 0", 9, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(write: Write, old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD

    told = refusal(write(GOOD.replace(old, new, 1)))

    assert told.startswith(f"my_jobs.py:{line}: ")
    assert said in told


def test_a_mistake_in_an_imported_file_is_placed_there(write: Write) -> None:
    write("\nimport nothing_of_this_name", "my_words.py")

    assert refusal(write(f"import my_words\n{GOOD}")).startswith("my_words.py:2: cannot import")


def test_two_job_types_of_one_name_are_refused_with_both_places(write: Write) -> None:
    again = GOOD[GOOD.index("@job_type") :]
    taken = "job type 'greet' is defined at my_jobs.py:12 already: give one of them another name"

    assert refusal(write(f"{GOOD}\n\n{again}")) == f"my_jobs.py:18: {taken}"


def test_two_files_with_one_name_of_a_job_type_are_refused(write: Write) -> None:
    told = refusal(write(GOOD, "my_first.py"), write(GOOD, "my_second.py"))

    assert told.startswith("job type 'greet' is defined twice, at my_first.py:12 and at my_second.py:12:")


def test_a_name_of_the_product_is_refused_with_its_place(write: Write) -> None:
    name = write(GOOD.replace('"greet"', '"generate_relics"'))

    with pytest.raises(JobModuleError, match=r"'generate_relics' is defined twice, at .*generate_relics\.py"):
        discover(job_types, [name])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.py", "nowhere.py does not exist: expected a Python file, or a module such as app.jobs"),
        ("my_folder.py", "my_folder.py is no file"),
        ("my_nowhere.jobs", "my_nowhere.jobs: cannot import: No module named 'my_nowhere'"),
        ("a b", "'a b' names no jobs: expected a file such as jobs.py, or a module"),
        ("empty.py", 'empty.py has no job types: expected an `async def` under @job_type("<name>")'),
        ("calendar.py", "calendar.py has the name of Python's own module 'calendar': rename it"),
        ("redis.py", "redis.py has the name of another module"),
        ("ends.py", "ends.py:1: ends the process when it is imported: put such code under"),
    ],
)
def test_a_name_that_gives_no_job_types_is_refused(write: Write, name: str, said: str) -> None:
    Path("my_folder.py").mkdir()
    for file in ("empty.py", "calendar.py", "redis.py"):
        write("", file)
    write("raise SystemExit(3)", "ends.py")

    assert refusal(name).startswith(said)


def test_a_distribution_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("quests", "nothing_of_this_name", "loresmith.job_types")

    def entry_points(**_: str) -> list[importlib.metadata.EntryPoint]:
        return [point]

    monkeypatch.setattr("loresmith.jobs.modules.entry_points", entry_points)

    assert refusal() == (
        "nothing_of_this_name (of a distribution): cannot import: No module named 'nothing_of_this_name':"
        " install it, or correct its name"
    )
