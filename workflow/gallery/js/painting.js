// Paint decoded images on canvases, with the same colours as contact sheets.

const BLACK = 255 << 24; // a pixel has 32 bits; red is the lowest byte
const colourMap = DATA.colourMap.map(([red, green, blue]) =>
  red | (green << 8) | (blue << 16) | BLACK);

// Return a function from the number of an occupied cell to its colour.
function painter({ positions, values }, name) {
  const size = positions.length;
  const { colours, planes: count, background } = encodings.get(name);
  const shade = (k) => (values[k] === background ? 0 : values[k]);
  if (state.mode === "one") {
    const start = state.singlePlane.get(name) * size;
    return (k) => colourMap[shade(start + k)];
  }
  const curve = Uint8Array.from({ length: 256 },
    (_, value) => Math.round(255 * (value / 255) ** state.gamma));
  const shown = [...Array(count).keys()].filter((plane) => isShown(name, plane))
    .map((plane) => [plane * size, ...(colours[plane] ?? [255, 255, 255])]);
  return (k) => {
    let red = 0, green = 0, blue = 0;
    for (const [start, r, g, b] of shown) {
      // Three planes are added; of others, a plane covers those before it.
      const value = shade(start + k), keep = count === 3 ? 255 : 255 - value;
      red = Math.min(255, ((red * keep) / 255 | 0) + ((r * value) / 255 | 0));
      green = Math.min(255, ((green * keep) / 255 | 0) + ((g * value) / 255 | 0));
      blue = Math.min(255, ((blue * keep) / 255 | 0) + ((b * value) / 255 | 0));
    }
    return curve[red] | (curve[green] << 8) | (curve[blue] << 16) | BLACK;
  };
}

// Return a canvas of 1/2**level the image's size. A pixel gets the maximum red, green and
// blue of the cells that it covers, so single points stay visible.
function paint(image, name, level) {
  const { positions, rows, cols } = image;
  const height = ((rows - 1) >> level) + 1, width = ((cols - 1) >> level) + 1;
  const pixels = new Uint32Array(height * width).fill(BLACK);
  const colourOf = painter(image, name);
  for (let k = 0; k < positions.length; k++) {
    const row = Math.floor(positions[k] / cols), col = positions[k] - row * cols;
    const pixel = (row >> level) * width + (col >> level);
    const old = pixels[pixel], colour = colourOf(k);
    pixels[pixel] = Math.max(old & 0xff, colour & 0xff)
      | Math.max(old & 0xff00, colour & 0xff00)
      | Math.max(old & 0xff0000, colour & 0xff0000) | BLACK;
  }
  const canvas = make("canvas", { width, height });
  canvas.getContext("2d").putImageData(asImageData(pixels, width, height), 0, 0);
  return canvas;
}

const asImageData = (pixels, width, height) =>
  new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
