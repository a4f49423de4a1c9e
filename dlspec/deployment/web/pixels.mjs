/** Pictures as numbers. */

/** The range of the numbers of a picture: of 8 bits, or that of the training part. */
export function rangeOf(input) {
  const { min, max } = input.columns?.[0] ?? input;
  if (min === undefined || max === undefined) return [0, 1];
  if (min >= 0 && max > 128 && max <= 255) return [0, 255];
  return [Math.min(0, min), max > min ? max : min + 1];
}

/** Height, width and channels; null where the shape is not one of a picture. */
export function sizesOf(shape) {
  const [height, width, channels = 1] = shape;
  const isPicture = (shape.length === 2 || (shape.length === 3 && [1, 3, 4].includes(channels))) && height > 2 && width > 2;
  return isPicture ? { height, width, channels } : null;
}

/** Paints numbers, each `times` by `times` pixels. */
export function paint(canvas, values, { height, width, channels }, [low, high], times = 1) {
  Object.assign(canvas, { width: width * times, height: height * times });
  const image = new ImageData(width * times, height * times);
  for (let y = 0; y < height * times; y++) {
    for (let x = 0; x < width * times; x++) {
      const from = (Math.floor(y / times) * width + Math.floor(x / times)) * channels;
      const to = (y * width * times + x) * 4;
      for (let c = 0; c < 3; c++) {
        image.data[to + c] = Math.round((255 * (values[from + (channels < 3 ? 0 : c)] - low)) / (high - low));
      }
      image.data[to + 3] = 255;
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The channels of an image of a canvas, from 0 to 255: grey of one as Pillow weighs red, green and blue. */
function channelsOf({ data }, channels) {
  const found = new Float64Array((data.length / 4) * channels);
  for (let i = 0; i < data.length / 4; i++) {
    const [red, green, blue, alpha] = data.subarray(4 * i, 4 * i + 4);
    if (channels === 1) found[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    else found.set(channels === 3 ? [red, green, blue] : [red, green, blue, alpha], i * channels);
  }
  return found;
}

/**
 * How much each of `from` pixels counts for each of `to`, as OpenCV has it: linear between pixels; the mean of those that it
 * stands for; or `steps`, what OpenCV makes of the mean where a picture becomes larger in one direction.
 */
const WEIGHTS = {
  linear(from, to, place) {
    const at = Math.min(Math.max(((place + 0.5) * from) / to - 0.5, 0), from - 1);
    const first = Math.floor(at);
    return [[first, 1 - (at - first)], [Math.min(first + 1, from - 1), at - first]];
  },
  mean(from, to, place) {
    const scale = from / to;
    const [start, end] = [place * scale, (place + 1) * scale];
    const found = [];
    for (let i = Math.floor(start); i < Math.min(from, Math.ceil(end - 1e-9)); i++) {
      found.push([i, (Math.min(i + 1, end) - Math.max(i, start)) / scale]);
    }
    return found;
  },
  steps(from, to, place) {
    const first = Math.min(Math.floor((place * from) / to), from - 1);
    const over = place + 1 - ((first + 1) * to) / from;
    const share = over <= 0 ? 0 : over - Math.floor(over);
    return [[first, 1 - share], [Math.min(first + 1, from - 1), share]];
  },
};

/** The channels of an image at another size, flat. */
function resized(image, height, width, channels) {
  const values = channelsOf(image, channels);
  const scales = [height / image.height, width / image.width];
  const way = Math.min(...scales) >= 0.5 ? "linear" : Math.max(...scales) > 1 ? "steps" : "mean";
  const weights = (from, to) => Array.from({ length: to }, (_, place) => WEIGHTS[way](from, to, place));
  const [rows, columns] = [weights(image.height, height), weights(image.width, width)];
  const found = new Float64Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [i, above] of rows[y]) {
          for (const [j, across] of columns[x]) sum += above * across * values[(i * image.width + j) * channels + c];
        }
        found[(y * width + x) * channels + c] = sum;
      }
    }
  }
  return found;
}

/**
 * The numbers of an image at the size that the network takes, in its range.
 *
 * @param fit `stretch`; or `crop` or `pad`, which keep its form: cut, or with black edges.
 */
export function numbersOf(image, { height, width, channels }, [low, high], fit = "stretch") {
  const scales = [height / image.height, width / image.width];
  const scale = fit === "crop" ? Math.max(...scales) : Math.min(...scales);
  const by = (length) => Math.max(1, evenly(length * scale));
  const wanted = fit === "stretch" ? [height, width] : [by(image.height), by(image.width)];
  const whole = resized(image, ...wanted, channels);
  const [top, left] = [Math.floor((wanted[0] - height) / 2), Math.floor((wanted[1] - width) / 2)];
  const found = new Array(height * width * channels).fill(low);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [i, j] = [y + top, x + left];
      if (i < 0 || j < 0 || i >= wanted[0] || j >= wanted[1]) continue;
      for (let c = 0; c < channels; c++) {
        const value = evenly(whole[(i * wanted[1] + j) * channels + c]); // pictures have whole numbers
        found[(y * width + x) * channels + c] = low + (value / 255) * (high - low);
      }
    }
  }
  return found;
}

/** Rounded as Python does, halves to the even number. */
const evenly = (number) => (number % 1 === 0.5 ? 2 * Math.round(number / 2) : Math.round(number));

/** The colour of the edge of pictures, of each channel the median, from 0 to 1. */
export function paperOf(pictures, { height, width, channels }, [low, high]) {
  return Array.from({ length: channels }, (_, c) => {
    const edge = [];
    for (const values of pictures) {
      for (let i = 0; i < height * width; i++) {
        const [y, x] = [Math.floor(i / width), i % width];
        if (y === 0 || x === 0 || y === height - 1 || x === width - 1) edge.push(values[i * channels + c]);
      }
    }
    edge.sort((a, b) => a - b);
    return edge.length ? (edge[Math.floor(edge.length / 2)] - low) / (high - low) : 0;
  });
}
