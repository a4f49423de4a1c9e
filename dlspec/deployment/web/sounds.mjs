/** A sound out of a WAV file. */
import { filePicker, make, takesDrops } from "./making.mjs";

/** The first channel of a WAV file from -1 to 1, and its rate. */
export function readWav(buffer) {
  const view = new DataView(buffer);
  const mark = (at) => String.fromCharCode(...new Uint8Array(buffer, at, 4));
  if (buffer.byteLength < 12 || mark(0) !== "RIFF" || mark(8) !== "WAVE") throw new Error("it is no WAV file");
  let format = null;
  for (let at = 12; at + 8 <= buffer.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (mark(at) === "fmt ") {
      const code = view.getUint16(at + 8, true);
      const kind = code === 0xfffe && size >= 26 ? view.getUint16(at + 32, true) : code;
      const [channels, rate, bits] = [view.getUint16(at + 10, true), view.getUint32(at + 12, true), view.getUint16(at + 22, true)];
      format = { kind, channels, rate, bits };
    } else if (mark(at) === "data" && format) {
      return { rate: format.rate, samples: samplesOf(view, at + 8, Math.min(size, buffer.byteLength - at - 8), format) };
    }
    at += 8 + size + (size % 2);
  }
  throw new Error("it has no sound in it");
}

function samplesOf(view, start, size, { kind, channels, bits }) {
  const wide = bits / 8;
  const readers = {
    "1:8": (at) => (view.getUint8(at) - 128) / 128,
    "1:16": (at) => view.getInt16(at, true) / 2 ** 15,
    "1:24": (at) => (view.getUint8(at) + view.getInt16(at + 1, true) * 256) / 2 ** 23,
    "1:32": (at) => view.getInt32(at, true) / 2 ** 31,
    "3:32": (at) => view.getFloat32(at, true),
    "3:64": (at) => view.getFloat64(at, true),
  };
  const read = readers[`${kind}:${bits}`];
  if (!read) throw new Error("its samples are packed");
  const count = Math.floor(size / (wide * channels));
  return Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(start + (i * channels + c) * wide);
    return sum / channels;
  });
}

/** What has to be said of a sound that is not as the network takes it. */
function warningsOf(name, { rate, samples }, length, expected) {
  const said = [];
  if (expected === null) said.push(`${name} has ${rate} samples a second; it has to be the rate that the network was trained on`);
  if (samples.length !== length) said.push(`${name} has ${samples.length} samples, and the network takes ${length}`);
  return said;
}

/** @param expected samples a second that the network takes; null: it is not known. */
export function soundForm(input, expected, changed) {
  const [length] = input.shape;
  const canvas = make("canvas", { class: "wave", width: 600, height: 120, role: "img", "aria-label": "The sound over time" });
  const said = make("p", { class: "hint", role: "status", text: `Drop a WAV file here. The network takes ${length} samples.` });
  let [values, warnings] = [[], []];
  const draw = () => {
    const pen = canvas.getContext("2d");
    const high = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--best");
    pen.beginPath();
    values.forEach((value, i) => pen.lineTo((i / values.length) * canvas.width, (0.5 - (0.47 * value) / high) * canvas.height));
    pen.stroke();
  };
  const open = async (file) => {
    try {
      const sound = readWav(await file.arrayBuffer());
      const { rate, samples } = sound;
      if (expected !== null && rate !== expected) throw new Error(`it has ${rate} samples a second, and ${expected} are needed`);
      const other = samples.length === length ? "" : samples.length > length ? ", cut at its end" : ", filled up with silence";
      values = Array.from({ length }, (_, i) => samples[i] ?? 0);
      warnings = warningsOf(file.name, sound, length, expected);
      said.textContent = `${file.name}, ${samples.length} samples, ${rate} a second${other}`;
      draw();
      changed();
    } catch (error) {
      said.textContent = `${file.name} cannot be read: ${error.message}`;
      [values, warnings] = [[], []];
      draw();
      changed();
    }
  };
  const element = make("div", {}, canvas, make("div", { class: "tools" }, filePicker("Open a WAV file", ".wav,audio/wav", open)), said);
  takesDrops(element, open);
  return {
    element,
    show(row) {
      [values, warnings] = [row[input.name].flat(Infinity), []];
      draw();
    },
    read: () => (values.length ? { row: { [input.name]: values }, warnings } : { problem: "A sound is needed." }),
  };
}
