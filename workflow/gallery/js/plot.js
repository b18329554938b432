// Plot the counts of all scans. A click goes to a scan.

const plot = $("plot").querySelector("canvas"), tip = $("plot").querySelector("output");
const GUTTER = 104; // for the names of the counts and their maxima
const MAX_LINES = 50, TICK = 5; // more failed scans are ticks, or lines would hide the curves
const compact = new Intl.NumberFormat("en",
  { notation: "compact", maximumSignificantDigits: 3 });

const toX = (index, width) => GUTTER + (last ? index / last : 0.5) * (width - GUTTER - 6);
const toIndex = (x, width) =>
  clamp(Math.round(((x - GUTTER) / (width - GUTTER - 6)) * last), 0, last);

function drawPlot() {
  $("plot").style.setProperty("--lanes", series.length);
  const { clientWidth: width, clientHeight: height } = plot;
  if (!width || !series.length) return;
  const dots = window.devicePixelRatio || 1;
  plot.width = Math.round(width * dots);
  plot.height = Math.round(height * dots);
  const context = plot.getContext("2d");
  context.scale(dots, dots);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  const lane = height / series.length;
  series.forEach((one, number) => {
    const base = (number + 1) * lane - 2;
    const toY = (value) => base - (one.highest ? value / one.highest : 0) * (lane - 6);
    drawLabels(context, one, base - lane / 2 + 2, colour);
    drawBaseline(context, base, width, colour);
    drawCurve(context, one.values, width, toY, colour(one.key));
    context.fillStyle = colour("alert");
    for (const index of one.extremes) {
      context.beginPath();
      context.arc(toX(index, width), toY(one.values[index]), 2.6, 0, 7);
      context.fill();
    }
  });
  context.fillStyle = colour("alert");
  const failed = outliers.filter(({ kind }) => kind === "failed");
  const length = failed.length > MAX_LINES ? TICK : height;
  for (const { index } of failed) context.fillRect(toX(index, width) - 1, 0, 2, length);
  markScan();
}

// Mark the scan that is shown. Nothing is drawn again: there may be 100,000 scans.
function markScan() {
  const { clientWidth: width } = plot;
  $("here").hidden = !width || !series.length;
  $("here").style.left = `${toX(state.index, width)}px`;
  plot.setAttribute("aria-label", `Point counts of all scans. ${countsOf(state.index)}`);
  if (document.activeElement === $("slider")) showTip(state.index);
}

function drawLabels(context, { key, name, highest }, y, colour) {
  context.fillStyle = colour(key);
  context.fillText(name, 0, y);
  context.fillStyle = colour("muted");
  context.textAlign = "right";
  context.fillText(compact.format(highest), GUTTER - 8, y);
  context.textAlign = "left";
}

function drawBaseline(context, base, width, colour) {
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(GUTTER, base);
  context.lineTo(width, base);
  context.stroke();
}

// Scans that share a column of pixels become a line from their minimum to their maximum.
// Failed scans, whose values are NaN, interrupt the curve.
function drawCurve(context, values, width, toY, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.beginPath();
  let column = null, low = 0, high = 0, isOpen = false;
  const finishColumn = () => {
    if (column === null) return;
    if (isOpen) context.lineTo(column + 0.5, toY(high));
    else context.moveTo(column + 0.5, toY(high));
    context.lineTo(column + 0.5, toY(low) + 0.01);
    isOpen = true;
  };
  values.forEach((value, index) => {
    const x = Math.floor(toX(index, width));
    if (Number.isNaN(value)) {
      finishColumn();
      column = null;
      isOpen = false;
    } else if (x === column) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    } else {
      finishColumn();
      column = x;
      low = high = value;
    }
  });
  finishColumn();
  context.stroke();
}

// Return the scan at a position on the plot; a close outlier wins.
function scanAt(event) {
  const box = plot.getBoundingClientRect(), x = event.clientX - box.left;
  let nearest = toIndex(x, box.width), closest = 5; // CSS pixels
  for (const { index } of outliers) {
    const distance = Math.abs(toX(index, box.width) - x);
    if (distance < closest) [nearest, closest] = [index, distance];
  }
  return nearest;
}

// Return the name of a scan and its counts, or why it has none.
function countsOf(index) {
  const result = counts.get(state.encoding)?.[index];
  const text = typeof result === "string" ? result : series
    .map(({ label, values }) => `${values[index].toLocaleString("en")} ${label}`).join(", ");
  return `${DATA.scans[index]}  ${text}`;
}

function showTip(index) {
  const { width } = plot.getBoundingClientRect(), x = toX(index, width);
  tip.hidden = !series.length;
  tip.textContent = countsOf(index);
  tip.style.left = x < width / 2 ? `${x + 8}px` : "";
  tip.style.right = x < width / 2 ? "" : `${width - x + 8}px`;
}

function hideTip() { tip.hidden = true; }

plot.addEventListener("pointerdown", (event) => {
  plot.setPointerCapture(event.pointerId);
  showScan(scanAt(event));
});
plot.addEventListener("pointermove", (event) => {
  const index = scanAt(event);
  if (event.buttons) showScan(index);
  showTip(index);
});
plot.addEventListener("pointerleave", hideTip);
$("slider").addEventListener("focus", markScan);
$("slider").addEventListener("blur", hideTip);
