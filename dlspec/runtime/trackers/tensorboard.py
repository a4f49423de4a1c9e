"""TensorBoard's files of events."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from dlspec.language.fields import Primary, Text
from dlspec.runtime.trackers.base import TRACKERS, Ending, OpenTracker, Parameter, Point, TrackedRun, Tracker

FOLDER = "tensorboard"
"""Where the events are in the run folder."""


@TRACKERS.register
class Tensorboard(Tracker):
    """TensorBoard: curves of each stage, final metrics, the verdict, and all parameters under HPARAMS.

    Events are written to `tensorboard` in the run folder, so that `tensorboard --logdir runs` compares all runs, or to
    `<folder>/<name>/<run>`. It needs the package `tensorboard`, not TensorFlow.
    """

    also: ClassVar = ("tensor_board", "tb")
    modules: ClassVar = ("tensorboard",)
    examples: ClassVar = ["tensorboard", {"tensorboard": "events"}]

    folder: Text | None = Primary(
        None, description="where events of all runs are written; relative to the current folder"
    )

    def open(self, run: TrackedRun) -> OpenTracker:
        folder = Path(run.kept["folder"]) if "folder" in run.kept else self._new_folder(run)
        opened = _Events(folder)
        if not run.kept:
            opened.write_parameters(run)
        return opened

    def _new_folder(self, run: TrackedRun) -> Path:
        if self.folder is None:
            return run.folder / FOLDER
        wanted = Path(self.folder).absolute() / run.name / run.folder.name
        names = (wanted if i == 1 else wanted.with_name(f"{wanted.name}_{i}") for i in count(1))
        return next(path for path in names if not path.exists())


class _Events(OpenTracker):
    """A file of events, as `tf.summary` writes it."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        super().__init__(f"tensorboard --logdir {_shown(folder)}", {"folder": str(folder)})
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() / 1e9:.6f}.{socket.gethostname()}.{os.getpid()}"
        self.file = (folder / name).open("xb")
        self.records = RecordWriter(self.file)
        self._write(file_version="brain.Event:2")

    def log(self, points: Sequence[Point]) -> None:
        for point in points:
            self._write_values(point.named, point.epoch)
        self.file.flush()

    def close(self, ending: Ending) -> None:
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        self._write_values(ending.values, 0)
        for name, text in {"state": ending.state, **ending.texts}.items():
            self._write_text(name, text)
        status = api_pb2.Status.Value("STATUS_SUCCESS" if ending.state == "finished" else "STATUS_FAILURE")
        info = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
        self._write_session(metadata.SESSION_END_INFO_TAG, session_end_info=info)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()

    def write_parameters(self, run: TrackedRun) -> None:
        from tensorboard.plugins.hparams import metadata, plugin_data_pb2

        info = plugin_data_pb2.SessionStartInfo(group_name=run.title, start_time_secs=time.time())
        for name, value in run.parameters.items():
            if isinstance(value, bool):
                info.hparams[name].bool_value = value
            elif isinstance(value, str):
                info.hparams[name].string_value = value
            else:
                info.hparams[name].number_value = value
        self._write_session(metadata.SESSION_START_INFO_TAG, session_start_info=info)
        self.file.flush()

    def _write_values(self, values: Mapping[str, Parameter], step: int) -> None:
        if values:
            self._write(step, [{"tag": name, "simple_value": value} for name, value in values.items()])

    def _write_text(self, name: str, text: str) -> None:
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING

        tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()])
        self._write(0, [{"tag": name, "metadata": {"plugin_data": {"plugin_name": "text"}}, "tensor": tensor}])

    def _write_session(self, tag: str, **info: Any) -> None:
        from tensorboard.plugins.hparams import metadata, plugin_data_pb2

        content = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **info)
        data = {"plugin_name": metadata.PLUGIN_NAME, "content": content.SerializeToString()}
        self._write(0, [{"tag": tag, "metadata": {"plugin_data": data}, "tensor": metadata.NULL_TENSOR}])

    def _write(self, step: int = 0, values: Sequence[Mapping[str, Any]] = (), **others: str) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = {"summary": Summary(value=[Summary.Value(**value) for value in values])} if values else {}
        event = Event(wall_time=time.time(), step=step, **summary, **others)
        self.records.write(event.SerializeToString())


def _shown(folder: Path) -> Path:
    """A path as one would type it: from the current folder, where it is below that."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
