/** A picture to draw, or to open. */
import { filePicker, make, takesDrops } from "./making.mjs";
import { numbersOf, paint, paperOf, rangeOf } from "./pixels.mjs";

const PAPER = 320;

export function pictureForm(input, sizes, facts, changed) {
  const { height, width, channels } = sizes;
  const range = rangeOf(input);
  const times = Math.max(1, Math.round(PAPER / Math.max(height, width)));
  const pictures = (facts.rows?.rows ?? []).map((row) => row[input.name].flat(Infinity));
  const paper = paperOf(pictures, sizes, range);
  const dark = paper.reduce((a, b) => a + b, 0) / paper.length < 0.5;
  const canvas = make("canvas", { class: "picture", role: "img", "aria-label": "The picture; it can be drawn on" });
  Object.assign(canvas, { width: width * times, height: height * times });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let values = [];
  const ink = make("input", { type: "color", value: dark ? "#ffffff" : "#000000", "aria-label": "Colour of the pen" });
  const said = make("p", { class: "hint", role: "status" });

  const take = () => {
    values = numbersOf(pen.getImageData(0, 0, canvas.width, canvas.height), sizes, range);
    changed();
  };
  const clear = () => {
    const [red, green = red, blue = red] = paper.map((share) => Math.round(255 * share));
    pen.fillStyle = `rgb(${red} ${green} ${blue})`;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    take();
  };
  const invert = () => {
    const image = pen.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < image.data.length; i++) if (i % 4 !== 3) image.data[i] = 255 - image.data[i];
    pen.putImageData(image, 0, 0);
    take();
  };
  const open = async (file) => {
    try {
      const bitmap = await createImageBitmap(file);
      const whole = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      whole.drawImage(bitmap, 0, 0);
      values = numbersOf(whole.getImageData(0, 0, bitmap.width, bitmap.height), sizes, range, facts.fit);
      paint(canvas, values, sizes, range, times);
      said.textContent = `${file.name}, ${bitmap.width} × ${bitmap.height} pixels, brought to ${width} × ${height}`;
      changed();
    } catch {
      said.textContent = `${file.name} cannot be read as a picture`;
    }
  };

  let last = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  const draw = (event) => {
    const [x, y] = place(event);
    pen.strokeStyle = ink.value;
    pen.lineWidth = Math.max(1.5 * times, canvas.width / 12);
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...(last ?? [x, y]));
    pen.lineTo(x, y);
    pen.stroke();
    last = [x, y];
    take();
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
    last = null;
    draw(event);
  });
  canvas.addEventListener("pointermove", (event) => event.buttons && draw(event));

  const tools = make("div", { class: "tools" }, make("button", { type: "button", text: "Clear", onclick: clear }));
  tools.append(make("button", { type: "button", text: "Invert", onclick: invert }));
  if (channels > 1) tools.append(ink);
  tools.append(filePicker("Open a picture", "image/*", open));
  const element = make("div", {}, canvas, tools, said);
  takesDrops(element, open);
  said.textContent = `Draw, or drop a picture here. The network takes ${width} × ${height} pixels.`;
  return {
    element,
    show(row) {
      values = row[input.name].flat(Infinity);
      paint(canvas, values, sizes, range, times);
    },
    read: () => ({ row: { [input.name]: values }, warnings: [] }),
    thumbnail: (row) => thumbnailOf(row[input.name].flat(Infinity), sizes, range),
    restore: (numbers) => stillOf(numbers, sizes, range),
  };
}

function thumbnailOf(values, sizes, range) {
  const canvas = make("canvas", {});
  paint(canvas, values, sizes, range);
  return canvas;
}

/** A picture that cannot be drawn on. */
export function stillOf(values, sizes, range) {
  const canvas = make("canvas", { class: "picture still", role: "img" });
  paint(canvas, values, sizes, range, Math.max(1, Math.round(160 / sizes.width)));
  return canvas;
}
