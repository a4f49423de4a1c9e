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

/** How much each of `from` pixels counts for each of `to`: linear between pixels, or the mean of those it stands for. */
function weightsOf(from, to, byMean) {
  const scale = from / to;
  return Array.from({ length: to }, (_, place) => {
    if (!byMean) {
      const at = Math.min(Math.max((place + 0.5) * scale - 0.5, 0), from - 1);
      const first = Math.floor(at);
      return [[first, 1 - (at - first)], [Math.min(first + 1, from - 1), at - first]];
    }
    const [start, end] = [place * scale, (place + 1) * scale];
    const found = [];
    for (let i = Math.floor(start); i < Math.min(from, Math.ceil(end - 1e-9)); i++) {
      found.push([i, (Math.min(i + 1, end) - Math.max(i, start)) / scale]);
    }
    return found;
  });
}

/** The numbers of an image at the size that the network takes, in its range. */
export function numbersOf(image, sizes, [low, high]) {
  const { height, width, channels } = sizes;
  const values = channelsOf(image, channels);
  const byMean = Math.min(height / image.height, width / image.width) < 0.5;
  const [rows, columns] = [weightsOf(image.height, height, byMean), weightsOf(image.width, width, byMean)];
  const found = new Array(height * width * channels).fill(0);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [i, above] of rows[y]) {
          for (const [j, across] of columns[x]) sum += above * across * values[(i * image.width + j) * channels + c];
        }
        found[(y * width + x) * channels + c] = low + (sum / 255) * (high - low);
      }
    }
  }
  return found;
}

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
