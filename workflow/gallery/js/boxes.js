// Draw the boxes of labels and predictions, and say what is under the cursor.

const EDGE = 1.5, FRONT_EDGE = 4; // CSS pixels
const DASHES = { labels: [], predictions: [5, 4] };
const SINGULAR = { labels: "label", predictions: "prediction" };
const classColours = new Map(DATA.classes.map(([name, rgb]) => [name, `rgb(${rgb})`]));

// Return the boxes on an image that are switched on, each with its layer.
function shownBoxes(image) {
  return DATA.layers.filter((layer) => !state.hiddenLayers.has(layer))
    .flatMap((layer) => (image.boxes[layer] ?? []).map((box) => ({ ...box, layer })))
    .filter((box) => !state.hiddenClasses.has(box.class));
}

function drawBoxes(context, pane) {
  for (const box of shownBoxes(pane.image)) {
    const corners = box.pixels.map((corner) => pixelToCanvas(pane, corner));
    const draw = (points, width) => {
      context.beginPath();
      points.forEach((point) => context.lineTo(...point));
      if (points.length > 2) context.closePath();
      context.lineWidth = width;
      context.stroke();
    };
    context.strokeStyle = classColours.get(box.class);
    context.setLineDash(DASHES[box.layer]);
    draw(corners, EDGE);
    // Corners that a detector predicts do not tell the front from the rear.
    if (box.layer === "labels") draw(corners.slice(0, 2), FRONT_EDGE);
  }
  context.setLineDash([]);
}

// Whether a point of the image is in a box: on the same side of all of its edges.
function isInBox({ pixels }, [row, col]) {
  const sides = pixels.map(([r, c], k) => {
    const [nextRow, nextCol] = pixels[(k + 1) % pixels.length];
    return (nextRow - r) * (col - c) - (nextCol - c) * (row - r);
  });
  return sides.every((side) => side >= 0) || sides.every((side) => side <= 0);
}

// Return what is known of a box, as lines of a table.
function describeBox(box, { to_metres }) {
  const { layer, kind, height, heading, points, z, score } = box;
  const [first, second, , last] = box.pixels.map((corner) => transform(to_metres, ...corner));
  const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const sides = [distance(first, last), distance(first, second)];
  if (layer === "predictions") sides.sort((a, b) => b - a);
  const size = [...sides, height].filter((side) => side !== undefined);
  const name = kind && kind !== box.class ? `${box.class} (${kind})` : box.class;
  return [
    [name, SINGULAR[layer]],
    ["size", `${size.map((side) => side.toFixed(2)).join(" × ")} m`],
    ["heading", heading, (value) => `${Math.round(value * 180 / Math.PI)}°`],
    ["points", points, (value) => value.toLocaleString("en")],
    ["bottom z", z, (value) => `${value.toFixed(2)} m`],
    ["score", score, (value) => value.toFixed(2)],
  ].filter(([, value]) => value !== undefined)
    .map(([key, value, format]) => [key, format ? format(value) : value]);
}

// Describe the boxes under a position in metres beside it.
function updateTip({ tip, image, encoding, canvas }, position, [left, top]) {
  const at = transform(encoding.to_pixel, position.x, position.y);
  const boxes = image ? shownBoxes(image).filter((box) => isInBox(box, at)) : [];
  tip.hidden = !boxes.length;
  if (tip.hidden) return;
  tip.replaceChildren(...boxes.map((box) => {
    const table = makeTable(describeBox(box, encoding));
    table.style.borderColor = classColours.get(box.class);
    return table;
  }));
  // Towards the middle of the pane, and within it.
  const offset = (at, size, space) =>
    clamp(at < space / 2 ? at + 14 : at - 14 - size, 0, Math.max(0, space - size));
  tip.style.left = `${offset(left, tip.offsetWidth, canvas.clientWidth)}px`;
  tip.style.top = `${offset(top, tip.offsetHeight, canvas.clientHeight)}px`;
}
