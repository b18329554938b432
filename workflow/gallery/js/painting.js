// Paint decoded images on canvases, with the same colours as contact sheets.

const BLACK = 255 << 24; // a pixel has 32 bits; red is the lowest byte
const pack = ([red, green, blue]) => red | (green << 8) | (blue << 16) | BLACK;
const colourMap = DATA.colourMap.map(pack);
const mapColours = new Map([...palettes].map(([name, palette]) =>
  [name, palette.map(([, colour]) => pack(colour))]));

// Return a function from the number of an occupied cell to its colour.
function painter({ positions, values }, name) {
  const size = positions.length;
  const encoding = encodings.get(name), classColours = mapColours.get(name);
  const { channels, colours, planes: count, background } = encoding;
  const shade = (k) => (values[k] === background ? 0 : values[k]);
  if (state.mode === "one") {
    const plane = state.singlePlane.get(name), start = plane * size;
    if (channels[plane].is_class_map) return (k) => classColours[values[start + k]] ?? BLACK;
    return (k) => colourMap[shade(start + k)];
  }
  const curve = Uint8Array.from({ length: 256 },
    (_, value) => Math.round(255 * (value / 255) ** state.gamma));
  if (hasClassMap(encoding)) {
    // Beside class maps, the brightest of the other planes is grey; the last map covers all.
    const starts = (isMap) => [...channels.keys()].filter((plane) =>
      isShown(name, plane) && channels[plane].is_class_map === isMap)
      .map((plane) => plane * size);
    const maps = starts(true).reverse(), others = starts(false);
    return (k) => {
      for (const start of maps) {
        const colour = classColours[values[start + k]];
        if (colour !== undefined) return colour;
      }
      const grey = curve[others.reduce((most, start) => Math.max(most, shade(start + k)), 0)];
      return pack([grey, grey, grey]);
    };
  }
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

// Return an image of 1/2**level the size, as decode() returns one. A cell gets the maximum of
// those that it covers, and of a class map the most frequent class, of several the first.
function shrink({ positions, values, rows, cols }, name, level) {
  const height = ((rows - 1) >> level) + 1, width = ((cols - 1) >> level) + 1;
  const size = positions.length, { channels, background } = encodings.get(name);
  const cells = positions.map((cell) =>
    (Math.floor(cell / cols) >> level) * width + ((cell % cols) >> level));
  const planes = channels.map(({ is_class_map: isMap }, plane) => {
    const small = new Uint8Array(height * width).fill(background);
    const valueOf = (k) => values[plane * size + k];
    if (isMap) {
      keepMostFrequent(small, cells, valueOf, mapColours.get(name));
    } else {
      cells.forEach((cell, k) => {
        const value = valueOf(k), old = small[cell];
        if (value !== background && (old === background || value > old)) small[cell] = value;
      });
    }
    return small;
  });
  const occupied = Uint32Array.from(new Set(cells)).sort();
  const kept = new Uint8Array(channels.length * occupied.length);
  planes.forEach((small, plane) => {
    occupied.forEach((cell, k) => { kept[plane * occupied.length + k] = small[cell]; });
  });
  return { positions: occupied, values: kept, rows: height, cols: width };
}

// Put into each cell the most frequent of the known values for it; `cells` has where the value
// of each k goes.
function keepMostFrequent(small, cells, valueOf, known) {
  const most = new Uint32Array(small.length);
  const keys = new Float64Array(cells.length); // beyond 32 bits for large images
  cells.forEach((cell, k) => { keys[k] = cell * 256 + valueOf(k); });
  keys.sort();
  for (let first = 0, end = 0; first < keys.length; first = end) {
    while (keys[end] === keys[first]) end++;
    const value = keys[first] % 256, cell = (keys[first] - value) / 256;
    if (known[value] !== undefined && end - first > most[cell]) {
      most[cell] = end - first;
      small[cell] = value;
    }
  }
}

// Return a canvas of 1/2**level the image's size. A pixel gets the maximum red, green and
// blue of the cells that it covers, so single points stay visible; colours of classes are
// not mixed.
function paint(image, name, level) {
  if (level && hasClassMap(encodings.get(name))) return paint(shrink(image, name, level), name, 0);
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
