"""Writers of other packages: data, each entry with the source of its facts.

"run" means that programs were run with that release on Linux and CPython 3.11, as
`tests/test_third_party.py` does again where the package is installed: a forked child writes and
ends in `os._exit`, with an object that it inherited and with one of its own; flushed, closed, and
dropped. Other sources name the file of the package that says so.
"""

from __future__ import annotations

from flushlint.knowledge.stream_types import StreamType, TypeOpener
from flushlint.knowledge.streams import Opener, Writer, WriterType

__all__ = [
    "COMPRESSED_SUFFIXES",
    "FILE_OPENERS",
    "FILE_WRITERS",
    "FILE_WRITER_TYPES",
    "OPENERS",
    "TYPES",
    "WRITING_METHODS",
]

_H5_PARTS = {
    "[]": "h5py.Group",
    ".attrs": "h5py.AttributeManager",
    "create_group": "h5py.Group",
    "require_group": "h5py.Group",
    "create_dataset": "h5py.Dataset",
    "create_dataset_like": "h5py.Dataset",
    "require_dataset": "h5py.Dataset",
}
_H5_WRITES = ("create_dataset", "create_dataset_like", "require_dataset", "create_group",
              "require_group")  # fmt: skip
_H5_HARMLESS = ("keys", "values", "items", "get", "visit", "visititems", "__contains__",
                "__iter__", "__len__")  # fmt: skip

TYPES: dict[str, StreamType] = {
    "pyarrow.parquet.ParquetWriter": StreamType(
        source="run: pyarrow 26.0.1",
        writes=("write_table", "write_batch", "write"),
        closes=("close",),
        needs_close=True,
        private=True,
        unpicklable="TypeError",
    ),
    "h5py.File": StreamType(
        source="run: h5py 3.16.0",
        writes=_H5_WRITES,
        items=True,
        flushes=("flush",),
        closes=("close",),
        harmless=_H5_HARMLESS,
        parts=_H5_PARTS,
        private=True,
        unpicklable="TypeError",
    ),
    "h5py.Group": StreamType(
        source="run: h5py 3.16.0",
        writes=(*_H5_WRITES, "resize", "write_direct"),
        items=True,
        harmless=_H5_HARMLESS,
        parts=_H5_PARTS,
    ),
    "h5py.Dataset": StreamType(
        source="run: h5py 3.16.0",
        writes=("resize", "write_direct"),
        items=True,
        harmless=("astype", "read_direct", "len", "iter_chunks"),
        parts={".attrs": "h5py.AttributeManager"},
    ),
    "h5py.AttributeManager": StreamType(
        source="run: h5py 3.16.0",
        writes=("create", "modify"),
        items=True,
        harmless=("get", "keys", "values", "items"),
    ),
    # PyTables keeps each open file, so dropping the store closes nothing; it closes them at a
    # normal exit.
    "pandas.HDFStore": StreamType(
        source="run: pandas 3.1.1, tables 3.11.1",
        writes=("put", "append", "append_to_multiple"),
        items=True,
        flushes=("flush",),
        closes=("close",),
        harmless=("keys", "get", "select", "walk", "info", "groups", "get_storer"),
        closes_on_drop=False,
        private=True,
        unpicklable="AttributeError",
    ),
    "pandas.ExcelWriter": StreamType(
        source="run: pandas 3.1.1, with openpyxl and with xlsxwriter",
        closes=("close",),
        needs_close=True,
        closes_on_drop=False,
        kept_at_exit=False,
        unpicklable="TypeError",
    ),
    # An inherited one passes its events to a thread of the parent, which writes them; one of the
    # child's own loses what its thread has not written, and flush() does not wait for that.
    "tensorboardX.SummaryWriter": StreamType(
        source="run: tensorboardX 2.6.5, for a writer that the child makes itself",
        writes=("add_scalar", "add_scalars", "add_histogram", "add_image", "add_images",
                "add_figure", "add_video", "add_audio", "add_text", "add_graph", "add_embedding",
                "add_hparams", "add_pr_curve", "add_mesh"),
        flushes=("flush",),
        closes=("close",),
        needs_close=True,
        closes_on_drop=False,
        unpicklable="RuntimeError",
    ),
    # torch/utils/tensorboard/writer.py, FileWriter: an EventFileWriter of tensorboard, whose
    # thread writes to a buffered file. That was run.
    "torch.utils.tensorboard.SummaryWriter": StreamType(
        source="run: tensorboard's EventFileWriter, which it writes through",
        writes=("add_scalar", "add_scalars", "add_histogram", "add_image", "add_images",
                "add_figure", "add_video", "add_audio", "add_text", "add_graph", "add_embedding",
                "add_hparams", "add_pr_curve", "add_mesh"),
        flushes=("flush",),
        closes=("close",),
        closes_on_drop=False,
        unpicklable="TypeError",
    ),
    # The block that it gathers goes to the file with flush(), which flushes that as well.
    "fastavro.write.Writer": StreamType(
        source="run: fastavro 1.13.1",
        writes=("write", "write_block"),
        flushes=("flush",),
        harmless=("dump",),
        closes_on_drop=False,
        kept_at_exit=False,
        doubles=True,
        unpicklable="TypeError",
    ),
    "jsonlines.Writer": StreamType(
        source="run: jsonlines 4.0.0",
        writes=("write", "write_all"),
        closes=("close",),
        doubles=True,
        unpicklable="TypeError",
    ),
    "openpyxl.Workbook": StreamType(
        source="run: openpyxl 3.1.5",
        flushes=("save",),
        ends=("close",),
        parts={"create_sheet": "openpyxl.WriteOnlyWorksheet"},
        closes_on_drop=False,
        kept_at_exit=False,
    ),
    "openpyxl.WriteOnlyWorksheet": StreamType(
        source="run: openpyxl 3.1.5", writes=("append",), harmless=("close",)
    ),
    "cv2.VideoWriter": StreamType(
        source="run: opencv 5.0.0, AVI and MP4",
        writes=("write",),
        closes=("release",),
        harmless=("isOpened", "get", "set", "getBackendName"),
        needs_close=True,
        private=True,
        unpicklable="TypeError",
    ),
    # What libsndfile compresses. Frames of a WAV are written at once.
    "soundfile.SoundFile": StreamType(
        source="run: soundfile 0.14.0, FLAC and OGG",
        writes=("write", "buffer_write"),
        flushes=("flush",),
        closes=("close",),
        harmless=("tell", "seekable", "fileno"),
        needs_close=True,
        unpicklable="TypeError",
    ),
    # The variables and the data set hold each other, so dropping them closes nothing in time.
    "netCDF4.Dataset": StreamType(
        source="run: netCDF4 1.7.5, format NETCDF4",
        writes=("setncattr", "setncatts"),
        flushes=("sync",),
        closes=("close",),
        harmless=("createDimension", "isopen", "filepath", "ncattrs", "getncattr"),
        parts={"createVariable": "netCDF4.Variable", "[]": "netCDF4.Variable"},
        closes_on_drop=False,
        private=True,
        unpicklable="NotImplementedError",
    ),
    "netCDF4.Variable": StreamType(
        source="run: netCDF4 1.7.5",
        writes=("setncattr", "setncatts", "assignValue"),
        items=True,
        harmless=("getValue", "ncattrs", "getncattr", "set_auto_mask", "set_auto_scale"),
    ),
}  # fmt: skip

OPENERS: dict[str, TypeOpener] = {
    "pyarrow.parquet.ParquetWriter": TypeOpener(
        "pyarrow.parquet.ParquetWriter", silent=frozenset({"filesystem"})
    ),
    "h5py.File": TypeOpener(
        "h5py.File", 0, 1, "r", silent=frozenset({"driver", "fileobj", "swmr"})
    ),
    "pandas.HDFStore": TypeOpener("pandas.HDFStore", 0, 1, "a", silent=frozenset({"driver"})),
    "pandas.ExcelWriter": TypeOpener("pandas.ExcelWriter"),
    "tensorboardX.SummaryWriter": TypeOpener(
        "tensorboardX.SummaryWriter", silent=frozenset({"write_to_disk"})
    ),
    "torch.utils.tensorboard.SummaryWriter": TypeOpener("torch.utils.tensorboard.SummaryWriter"),
    "torch.utils.tensorboard.writer.SummaryWriter": TypeOpener(
        "torch.utils.tensorboard.SummaryWriter"
    ),
    "fastavro.write.Writer": TypeOpener("fastavro.write.Writer", -1, file=0, header=True),
    "jsonlines.open": TypeOpener("jsonlines.Writer", 0, 1, "r", direct=(("flush", -1, True),)),
    "openpyxl.Workbook": TypeOpener("openpyxl.Workbook", -1, held=(("write_only", 0, True),)),
    "cv2.VideoWriter": TypeOpener("cv2.VideoWriter"),
    "soundfile.SoundFile": TypeOpener(
        "soundfile.SoundFile", 0, 1, "r", suffixes=(".flac", ".ogg", ".opus")
    ),
    "netCDF4.Dataset": TypeOpener(
        "netCDF4.Dataset", 0, 1, "r",
        silent=frozenset({"format", "diskless", "persist", "parallel", "memory"}),
    ),
}  # fmt: skip

# Functions that return files such as `open` makes. Run: smart_open 9.0.2, fsspec 2026.9.0 (local
# files), aiofiles 25.1.0, whose methods are awaited.
FILE_OPENERS: dict[str, Opener] = {
    "smart_open.open": Opener("file", buffering=2, by_suffix=True),
    "fsspec.open": Opener("file", default="rb", by_suffix=True),
    "aiofiles.open": Opener("file", buffering=2),
    "aiofiles.threadpool.open": Opener("file", buffering=2),
}

# With these the file is compressed: flush() leaves its end out. Run: `.gz`, with both packages.
COMPRESSED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst")

# Run: pandas 3.1.1, numpy 2.4.6, fastavro 1.13.1. `fastavro.writer` and `numpy.save` flush.
FILE_WRITERS: dict[str, Writer] = {
    "numpy.savetxt": Writer(0, "fname", newline=True),
    "fastavro.schemaless_writer": Writer(0, "fo"),
    "fastavro.write.schemaless_writer": Writer(0, "fo"),
}

# Run: jsonlines 4.0.0. Its close() neither flushes nor closes a file that it was given.
FILE_WRITER_TYPES: dict[str, WriterType] = {
    "jsonlines.Writer": WriterType(0, "fp", ("write", "write_all"), newline=True, flush="flush"),
}

# Methods of objects that the machine knows nothing of, which write to an argument. Run: pandas
# 3.1.1.
WRITING_METHODS: dict[str, Writer] = {
    "to_csv": Writer(0, "path_or_buf", newline=True),
    "to_excel": Writer(0, "excel_writer"),
}
