// Decode the PNG files of images.

// Return the cells that are not background in all planes: their positions (row * cols + col) in
// ascending order, and their values, plane after plane. Everything else is fast because
// they are few.
async function decode(data, { planes: count, rows, cols, background }) {
  const file = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const stream = new Blob(pixelChunks(file)).stream()
    .pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(stream).arrayBuffer());
  // Three planes are the red, green and blue of each pixel; others are stacked.
  const isRgb = count === 3;
  const step = isRgb ? 3 : 1; // from a value to that of the next cell
  const length = 1 + step * cols; // each line starts with the number of its filter
  const start = (plane, row) => (isRgb ? plane + row * length : (plane * rows + row) * length);
  const occupied = new Uint8Array(rows * cols);
  for (let plane = 0; plane < count; plane++) {
    for (let row = 0; row < rows; row++) {
      let from = start(plane, row);
      if (lines[isRgb ? from - plane : from]) {
        throw new Error("the PNG was written by another program");
      }
      from += 1;
      for (let cell = row * cols, end = cell + cols; cell < end; cell++, from += step) {
        if (lines[from] !== background) occupied[cell] = 1;
      }
    }
  }
  const cells = [];
  for (let cell = 0; cell < occupied.length; cell++) if (occupied[cell]) cells.push(cell);
  const positions = Uint32Array.from(cells);
  const values = new Uint8Array(count * positions.length);
  for (let plane = 0, k = 0; plane < count; plane++) {
    for (const cell of positions) {
      const row = Math.floor(cell / cols);
      values[k++] = lines[start(plane, row) + 1 + step * (cell - row * cols)];
    }
  }
  return { positions, values, rows, cols };
}

// Return the data of the chunks of a PNG file that hold its pixels.
function pixelChunks(file) {
  const view = new DataView(file.buffer), chunks = [];
  for (let offset = 8; offset < file.length;) {
    const size = view.getUint32(offset);
    const kind = String.fromCharCode(...file.subarray(offset + 4, offset + 8));
    if (kind === "IDAT") chunks.push(file.subarray(offset + 8, offset + 8 + size));
    offset += 12 + size;
  }
  return chunks;
}

// Return the values of a cell in all planes.
function valuesAt({ positions, values }, { planes: count, background }, cell) {
  let low = 0, high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (positions[middle] < cell) low = middle + 1; else high = middle;
  }
  const found = positions[low] === cell;
  return Array.from({ length: count },
    (_, plane) => (found ? values[plane * positions.length + low] : background));
}
