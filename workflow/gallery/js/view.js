// Convert between metres and a pane's canvas; pan and zoom.

const MIN_ZOOM = 0.001, MAX_ZOOM = 2000; // pixels per metre

// Return the matrix from (col, row) to CSS pixels of a pane's canvas, in the order of
// setTransform: x = a col + c row + e, y = b col + d row + f.
function canvasMatrix({ canvas, encoding }) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const { x, y, zoom } = state.view;
  const [[xr, xc, x0], [yr, yc, y0]] = encoding.to_metres;
  if (state.orientation === "forward") {
    return [-zoom * yc, -zoom * xc, -zoom * yr, -zoom * xr,
      width / 2 - zoom * (y0 - y), height / 2 - zoom * (x0 - x)];
  }
  const [row, col] = transform(encoding.to_pixel, x, y);
  const across = zoom * Math.hypot(xc, yc), down = zoom * Math.hypot(xr, yr);
  return [across, 0, 0, down, width / 2 - across * col, height / 2 - down * row];
}

// Return the metres at a position on a pane's canvas.
function toMetres(pane, left, top) {
  const [a, b, c, d, e, f] = canvasMatrix(pane), determinant = a * d - b * c;
  const col = (d * (left - e) - c * (top - f)) / determinant;
  const row = (a * (top - f) - b * (left - e)) / determinant;
  const [x, y] = transform(pane.encoding.to_metres, row, col);
  return { x, y };
}

// The inverse: return the position of a point in metres.
function toCanvas(pane, { x, y }) {
  return pixelToCanvas(pane, transform(pane.encoding.to_pixel, x, y));
}

// Return the position of a point of the image.
function pixelToCanvas(pane, [row, col]) {
  const [a, b, c, d, e, f] = canvasMatrix(pane);
  return [a * col + c * row + e, b * col + d * row + f];
}

// Return the centre and the size of an image in metres.
function extent({ rows, cols, to_metres: matrix }) {
  const [xs, ys] = matrix.map(([r, c, offset]) => [offset, r * rows + c * cols + offset]);
  return { x: (xs[0] + xs[1]) / 2, y: (ys[0] + ys[1]) / 2,
    dx: Math.abs(xs[1] - xs[0]), dy: Math.abs(ys[1] - ys[0]) };
}

// Show the whole image, until the view is moved.
function fit() {
  fitView();
  updateView();
}

function fitView() {
  const { x, y, dx, dy } = extent(main.encoding);
  const columnsAreX = main.encoding.to_metres[0][1] !== 0;
  const [across, down] = state.orientation === "file" && columnsAreX ? [dx, dy] : [dy, dx];
  const width = main.canvas.clientWidth || 800, height = main.canvas.clientHeight || 600;
  state.view = { x, y, zoom: Math.min(width / across, height / down) * 0.98 };
  state.fitted = true;
}

function moveTo(x, y) {
  state.fitted = false;
  state.view.x = x;
  state.view.y = y;
  updateView();
}

// Zoom about a position on a pane's canvas, which keeps its metres; by default its centre.
function zoomAt(pane, factor, position) {
  const { clientWidth: width, clientHeight: height } = pane.canvas;
  const at = position ?? [width / 2, height / 2];
  const before = toMetres(pane, ...at);
  state.view.zoom = clamp(state.view.zoom * factor, MIN_ZOOM, MAX_ZOOM);
  const after = toMetres(pane, ...at);
  moveTo(state.view.x + before.x - after.x, state.view.y + before.y - after.y);
}

// Move the view by some pixels.
function pan(right, up) {
  state.cursor = null;
  const { clientWidth: width, clientHeight: height } = main.canvas;
  const { x, y } = toMetres(main, width / 2 + right, height / 2 - up);
  moveTo(x, y);
  announce(() => main.readAloud());
}
