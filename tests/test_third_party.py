"""The facts about writers of other packages, run where the package is installed.

Each writer is used in programs that differ in who makes it and in what is called at the end. What a
run leaves has to be what the tables say, and what flushlint says of the same program.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from textwrap import dedent, indent
from typing import TYPE_CHECKING, NamedTuple

import pytest

from flushlint.engine import check_source
from flushlint.knowledge.third_party import TYPES
from flushlint.model import AnalysisOptions

if TYPE_CHECKING:
    from pathlib import Path

    from flushlint.knowledge.stream_types import StreamType

pytestmark = pytest.mark.third_party


class Use(NamedTuple):
    """How a type is used: statements that make `o`, write to it and save it.

    `check` is an expression that is true, or does not raise, where everything has arrived.
    """

    imports: str
    make: str
    write: str
    check: str
    flush: str = ""
    close: str = ""


RECORD = "{'type': 'record', 'name': 'r', 'fields': [{'name': 'a', 'type': 'int'}]}"
FRAME = "np.zeros((64, 64, 3), np.uint8)"

USES: dict[str, Use] = {
    "pyarrow.parquet.ParquetWriter": Use(
        "import pyarrow as pa\nimport pyarrow.parquet as pq",
        "o = pq.ParquetWriter('x', pa.schema([('a', pa.int64())]))",
        "o.write_table(pa.table({'a': [1, 2]}))",
        "pq.read_table('x').num_rows == 2",
        close="o.close()",
    ),
    "h5py.File": Use(
        "import h5py",
        "o = h5py.File('x', 'w')",
        "o['a'] = [1, 2, 3]",
        "list(h5py.File('x', 'r')['a']) == [1, 2, 3]",
        "o.flush()",
        "o.close()",
    ),
    "pandas.HDFStore": Use(
        "import pandas as pd\nimport tables",
        "o = pd.HDFStore('x')",
        "o.put('a', pd.DataFrame({'a': [1, 2]}))",
        "len(pd.read_hdf('x', 'a')) == 2",
        "o.flush()",
        "o.close()",
    ),
    "pandas.ExcelWriter": Use(
        "import openpyxl\nimport pandas as pd",
        "o = pd.ExcelWriter('x.xlsx')",
        "pd.DataFrame({'a': [1, 2]}).to_excel(o)",
        "len(pd.read_excel('x.xlsx')) == 2",
        close="o.close()",
    ),
    "tensorboardX.SummaryWriter": Use(
        "import glob\nimport tensorboardX",
        "o = tensorboardX.SummaryWriter('d')",
        "o.add_scalar('tag', 1.0, 1)",
        "any(b'tag' in open(name, 'rb').read() for name in glob.glob('d/*'))",
        "o.flush()",
        "o.close()",
    ),
    "torch.utils.tensorboard.SummaryWriter": Use(
        "import glob\nfrom torch.utils.tensorboard import SummaryWriter",
        "o = SummaryWriter('d')",
        "o.add_scalar('tag', 1.0, 1)",
        "any(b'tag' in open(name, 'rb').read() for name in glob.glob('d/*'))",
        "o.flush()",
        "o.close()",
    ),
    "fastavro.write.Writer": Use(
        "import fastavro\nimport fastavro.write",
        f"f = open('x', 'wb')\no = fastavro.write.Writer(f, {RECORD})",
        "o.write({'a': 1})",
        "[r['a'] for r in fastavro.reader(open('x', 'rb'))] == [1]",
        "o.flush()",
    ),
    "jsonlines.Writer": Use(
        "import jsonlines",
        "o = jsonlines.open('x', 'w')",
        "o.write({'a': 1})",
        "list(jsonlines.open('x')) == [{'a': 1}]",
        close="o.close()",
    ),
    "openpyxl.Workbook": Use(
        "import openpyxl",
        "o = openpyxl.Workbook(write_only=True)\nsheet = o.create_sheet()",
        "sheet.append([1, 2])",
        "[c.value for c in openpyxl.load_workbook('x.xlsx').active[1]] == [1, 2]",
        "o.save('x.xlsx')",
    ),
    "cv2.VideoWriter": Use(
        "import cv2\nimport numpy as np",
        "o = cv2.VideoWriter('x.avi', cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 64))",
        f"o.write({FRAME})",
        "cv2.VideoCapture('x.avi').read()[0]",
        close="o.release()",
    ),
    "soundfile.SoundFile": Use(
        "import numpy as np\nimport soundfile",
        "o = soundfile.SoundFile('x.flac', 'w', 44100, 1)",
        "o.write(np.ones(1000) * 0.5)",
        "len(soundfile.read('x.flac')[0]) == 1000",
        "o.flush()",
        "o.close()",
    ),
    "netCDF4.Dataset": Use(
        "import netCDF4",
        "o = netCDF4.Dataset('x', 'w')\n"
        "o.createDimension('n', 3)\n"
        "v = o.createVariable('a', 'i4', ('n',))",
        "v[:] = [1, 2, 3]",
        "list(netCDF4.Dataset('x')['a'][:]) == [1, 2, 3]",
        "o.sync()",
        "o.close()",
    ),
}
PARTS = {"h5py.Group", "h5py.Dataset", "h5py.AttributeManager", "openpyxl.WriteOnlyWorksheet",
         "netCDF4.Variable"}  # fmt: skip
"""Types that are reached through another one, and are used with that."""

ASYNC = """\
import asyncio
import aiofiles
async def begin(flush):
    file = await aiofiles.open('x', 'w')
    await file.write('line\\n')
    if flush:
        await file.flush()
    return file
"""
LINE = "open('x').read() == 'line\\n'"

FILE_USES: dict[str, Use] = {
    "smart_open": Use(
        "from smart_open import open as smart_open",
        "o = smart_open('x', 'w')",
        "o.write('line\\n')",
        LINE,
        "o.flush()",
        "o.close()",
    ),
    "smart_open, compressed": Use(
        "import gzip\nimport smart_open",
        "o = smart_open.open('x.gz', 'w')",
        "o.write('line\\n')",
        "gzip.open('x.gz', 'rt').read() == 'line\\n'",
        close="o.close()",
    ),
    "fsspec": Use(
        "import fsspec",
        "o = fsspec.open('x', 'w').open()",
        "o.write('line\\n')",
        LINE,
        "o.flush()",
        "o.close()",
    ),
    "fsspec, compressed": Use(
        "import gzip\nimport fsspec",
        "o = fsspec.open('x', 'w', compression='gzip').open()",
        "o.write('line\\n')",
        "gzip.open('x', 'rt').read() == 'line\\n'",
        close="o.close()",
    ),
    "fsspec, file system": Use(
        "import fsspec",
        "fs = fsspec.filesystem('file')\no = fs.open('x', 'w')",
        "o.write('line\\n')",
        LINE,
        "o.flush()",
        "o.close()",
    ),
    "aiofiles": Use(
        ASYNC, "o = None", "o = asyncio.run(begin(False))", LINE, "o = asyncio.run(begin(True))"
    ),
    "jsonlines.Writer": Use(
        "import jsonlines",
        "f = open('x', 'w')\no = jsonlines.Writer(f)",
        "o.write({'a': 1})",
        "list(jsonlines.open('x')) == [{'a': 1}]",
        "f.flush()",
    ),
    "pandas, to_csv": Use(
        "import pandas as pd",
        "o = open('x', 'w')",
        "pd.DataFrame({'a': [1, 2]}).to_csv(o)",
        "len(pd.read_csv('x')) == 2",
        "o.flush()",
        "o.close()",
    ),
    "numpy.savetxt": Use(
        "import numpy as np",
        "o = open('x', 'w')",
        "np.savetxt(o, [1, 2])",
        "len(np.loadtxt('x')) == 2",
        "o.flush()",
        "o.close()",
    ),
    "fastavro.schemaless_writer": Use(
        "import fastavro",
        "o = open('x', 'wb')",
        f"fastavro.schemaless_writer(o, {RECORD}, {{'a': 1}})",
        f"fastavro.schemaless_reader(open('x', 'rb'), {RECORD}) == {{'a': 1}}",
        "o.flush()",
        "o.close()",
    ),
}
USELESS = {
    "smart_open, compressed": "o.flush()",
    "fsspec, compressed": "o.flush()",
    "jsonlines.Writer": "o.close()",
}
"""What looks like a remedy and is none."""

START = """
if __name__ == "__main__":
    from multiprocessing import get_context
    child = get_context("fork").Process(target=work)
    child.start()
    child.join()
"""


def its_own(use: Use, last: str) -> str:
    """The child makes the object, and keeps it in a global."""
    names = ", ".join(line.partition(" = ")[0] for line in use.make.splitlines() if " = " in line)
    body = f"global {names}\n{use.make}\n{use.write}\n{last}"
    return f"{use.imports}\ndef work():\n{indent(body, '    ')}\n{START}"


def inherited(use: Use, last: str) -> str:
    """The parent makes the object."""
    body = f"{use.write}\n{last}"
    return f"{use.imports}\n{use.make}\ndef work():\n{indent(body, '    ')}\n{START}"


def local(use: Use) -> str:
    """The child makes the object, and drops it when its function returns."""
    body = f"{use.make}\n{use.write}"
    return f"{use.imports}\ndef work():\n{indent(body, '    ')}\n{START}"


def without_child(use: Use) -> str:
    """The object lives until a normal exit."""
    return f"{use.imports}\n{use.make}\n{use.write}\n"


def arrives(use: Use, program: str, directory: Path) -> bool:
    """Run a program and return whether everything that it wrote can be read back."""
    directory.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    check = f"{use.imports}\nassert {use.check}"
    for name, text in (("program.py", program), ("check.py", check)):
        (directory / name).write_text(text, encoding="utf-8")
    for name in ("program.py", "check.py"):
        done = subprocess.run(
            [sys.executable, name],
            cwd=directory, env=environment, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
    return done.returncode == 0


def is_found(program: str) -> bool:
    analysis = check_source(program.encode(), "program.py", AnalysisOptions())
    assert analysis.error is None
    return bool(analysis.diagnostics)


def require(use: Use) -> None:
    """Skip the test unless the packages that it imports are installed."""
    for line in use.imports.splitlines():
        if line.startswith(("import ", "from ")):
            package = line.split()[1].partition(".")[0]
            if importlib.util.find_spec(package) is None:
                pytest.skip(f"{package} is not installed")


@pytest.fixture(params=sorted(USES))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    require(USES[found])
    return found


@pytest.fixture
def spec(name: str) -> StreamType:
    return TYPES[name]


def test_every_type_is_used() -> None:
    assert USES.keys() | PARTS == TYPES.keys()


def test_what_is_left_in_it_is_lost(name: str, tmp_path: Path) -> None:
    program = its_own(USES[name], "")
    assert not arrives(USES[name], program, tmp_path)
    assert is_found(program)


def test_whether_flush_is_enough(name: str, spec: StreamType, tmp_path: Path) -> None:
    use = USES[name]
    assert bool(use.flush) == bool(spec.flushes)
    if not use.flush:
        pytest.skip("it has no such method")
    program = its_own(use, use.flush)
    assert arrives(use, program, tmp_path) is not spec.needs_close
    assert is_found(program) is spec.needs_close


def test_close_is_enough(name: str, spec: StreamType, tmp_path: Path) -> None:
    use = USES[name]
    assert bool(use.close) == bool(spec.closes)
    if not use.close:
        pytest.skip("it has no such method")
    program = its_own(use, use.close)
    assert arrives(use, program, tmp_path)
    assert not is_found(program)


def test_whether_the_last_reference_closes_it(name: str, spec: StreamType, tmp_path: Path) -> None:
    program = local(USES[name])
    assert arrives(USES[name], program, tmp_path) is spec.closes_on_drop
    assert is_found(program) is not spec.closes_on_drop


def test_whether_a_normal_exit_writes_it(name: str, spec: StreamType, tmp_path: Path) -> None:
    assert arrives(USES[name], without_child(USES[name]), tmp_path) is spec.kept_at_exit


def test_whether_a_child_can_save_what_it_inherits(
    name: str, spec: StreamType, tmp_path: Path
) -> None:
    """Where it can't, flushlint says so; where that depends on more, nothing is claimed."""
    use = USES[name]
    if not spec.private:
        pytest.skip("nothing is claimed")
    for index, last in enumerate(filter(None, (use.flush, use.close))):
        program = inherited(use, last)
        assert not arrives(use, program, tmp_path / str(index))
        assert is_found(program)


def test_what_pickling_it_raises(name: str, spec: StreamType, tmp_path: Path) -> None:
    use = USES[name]
    if not spec.unpicklable:
        pytest.skip("nothing is claimed")
    program = dedent("""\
        import os, pickle
        try:
            pickle.dumps(o)
        except Exception as error:
            os.write(1, type(error).__name__.encode())
        os._exit(0)
        """)
    done = subprocess.run(
        [sys.executable, "-c", f"{use.imports}\n{use.make}\n{program}"],
        cwd=tmp_path, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.decode() == spec.unpicklable


@pytest.mark.parametrize("name", FILE_USES)
def test_functions_that_open_or_write_files(name: str, tmp_path: Path) -> None:
    use = FILE_USES[name]
    require(use)
    for index, last in enumerate(("", USELESS.get(name, ""))):
        program = its_own(use, last)
        assert not arrives(use, program, tmp_path / f"lost{index}")
        assert is_found(program)
    for index, last in enumerate(filter(None, (use.flush, use.close))):
        program = its_own(use, last)
        assert arrives(use, program, tmp_path / f"kept{index}")
        assert not is_found(program)
