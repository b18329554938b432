// Bring the page in line with the state, show scans, and start.

// Update everything. Returns a promise that waits for the images.
function update() {
  updateTitle();
  drawStrip();
  markScan();
  markOutlier();
  if (!state.compareWith) second.element.remove();
  else if (!second.element.isConnected) $("panes").append(second.element);
  return updateLook();
}

// Update what depends on how images are painted.
function updateLook() {
  updateControls();
  rememberLink();
  return Promise.all(panes().map((pane) => pane.show()));
}

let viewFrame = 0;

// Update what depends on the view, once a frame.
function updateView() {
  cancelAnimationFrame(viewFrame);
  viewFrame = requestAnimationFrame(drawPanes);
  rememberLink();
}

function updateTitle() {
  const name = DATA.scans[state.index];
  document.title = `${name} · birdview`;
  $("scan").textContent = $("scan").title = name;
  $("position").textContent = `${state.index + 1} of ${last + 1}`;
  $("slider").value = state.index;
  $("slider").setAttribute("aria-valuetext", name);
  announce(() => `Scan ${name}, ${state.index + 1} of ${last + 1}`);
}

async function showScan(index) {
  index = clamp(index, 0, last);
  state.direction = index < state.index ? -1 : 1;
  state.index = index;
  await update();
  if (state.index === index) prefetch();
}

let playback = 0; // counts the starts, so that an earlier loop ends when another starts

// Play or pause.
async function play() {
  const number = ++playback;
  state.playing = !state.playing;
  updateControls();
  if (state.playing && state.index === last) await showScan(0);
  while (state.playing && number === playback && state.index < last) {
    const due = performance.now() + 1000 / $("speed").value;
    await showScan(state.index + 1);
    await new Promise((resolve) => {
      setTimeout(resolve, Math.max(0, due - performance.now()));
    });
  }
  if (state.playing && number === playback) play(); // pause at the end
}

// Not location: the state of before may have been written to it in the meantime.
window.addEventListener("hashchange", (event) => readLink(event.newURL));
window.addEventListener("resize", () => { drawStrip(); drawPlot(); });
matchMedia("(prefers-color-scheme: light)").addEventListener("change", drawPlot);
if (matchMedia("(max-width: 46rem), (max-height: 30rem)").matches) showPanel(false);
readLink(location);
