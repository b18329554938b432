// Find scans worth a look: those that failed, with warnings, and with unusual counts.

const OUTLIER_LIMIT = 6; // times the usual deviation from the median
const MAX_LISTED = 30; // scans of a kind in the list
// Kinds of outliers, the most urgent first, and their headings.
const KINDS = [["failed", "Failed"], ["warned", "Warnings"], ["unusual", "Unusual counts"]];
// Keys of counts, their names in the plot, and in a sentence.
const COUNTS = [["drawn", "drawn", "points drawn"], ["cells", "cells", "cells with a point"],
  ["outside", "outside", "points outside"],
  ["outside_height", "by height", "outside by height alone"],
  ["no_return", "no return", "without a return"], ["dropped", "dropped", "points dropped"],
  ["vehicle", "vehicle", "on the vehicle"], ["duplicate", "duplicate", "duplicates"],
  ["hidden", "hidden", "hidden from the camera"],
  ["nonfinite", "not finite", "not finite"]];
const ALWAYS_SHOWN = ["drawn", "cells", "outside", "nonfinite"]; // others unless all are 0

let series = []; // for each count: the values of all scans, and which are outliers
let outliers = []; // the scans worth a look, the most urgent first
let reached = -1; // the last of them that was shown

function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function findOutliers(results, doubts) {
  const found = new Map();
  for (const [key, reason] of Object.entries(doubts)) {
    const index = Number(key);
    found.set(index, { index, kind: "warned", excess: Infinity, reason });
  }
  results.forEach((result, index) => {
    if (typeof result === "string") {
      found.set(index, { index, kind: "failed", excess: Infinity, reason: result });
    }
  });
  series = COUNTS.map(([key, name, label]) => {
    const column = DATA.counts.indexOf(key);
    const values = results.map((result) => (typeof result === "string" ? NaN : result[column]));
    const known = values.filter((value) => !Number.isNaN(value));
    const middle = known.length ? median(known) : 0;
    const deviations = known.map((value) => Math.abs(value - middle));
    const usual = known.length ? 1.4826 * median(deviations) : 0;
    // If most counts are equal, `usual` is 0: take a hundredth of the median instead.
    const limit = OUTLIER_LIMIT * Math.max(usual, 0.01 * middle, 1);
    const extremes = new Set();
    values.forEach((value, index) => {
      const excess = Math.abs(value - middle) / limit;
      if (!(excess > 1)) return;
      extremes.add(index);
      if (found.get(index)?.excess >= excess) return;
      const reason = `${label}: ${value.toLocaleString("en")}, `
        + `usually ${Math.round(middle).toLocaleString("en")}`;
      found.set(index, { index, kind: "unusual", excess, reason });
    });
    const highest = known.reduce((a, b) => Math.max(a, b), 0);
    return { key, name, label, values, extremes, highest };
  }).filter(({ key, highest }) => highest > 0 || ALWAYS_SHOWN.includes(key));
  const inOrder = [...found.values()].sort((a, b) => a.index - b.index);
  outliers = KINDS.flatMap(([wanted]) => inOrder.filter(({ kind }) => kind === wanted)
    .sort((a, b) => (wanted === "unusual" ? b.excess - a.excess : 0)));
  reached = -1;
}

// List the outliers by kind; of too many, the first.
function listOutliers() {
  $("outliers").hidden = !outliers.length;
  $("outliers").querySelector("div").replaceChildren(...KINDS.flatMap(([wanted, heading]) => {
    const all = outliers.filter(({ kind }) => kind === wanted);
    if (!all.length) return [];
    const count = all.length > MAX_LISTED
      ? `the first ${MAX_LISTED} of ${all.length.toLocaleString("en")}` : all.length;
    return [make("h3", { textContent: `${heading}: ${count}` }),
      make("ol", {}, ...all.slice(0, MAX_LISTED).map(makeItem))];
  }));
  markOutlier();
}

function makeItem({ index, kind, reason }) {
  const button = make("button", { type: "button", className: kind },
    make("b", { textContent: DATA.scans[index] }), make("span", { textContent: reason }));
  button.dataset.index = index;
  button.onclick = () => showScan(index);
  return make("li", {}, button);
}

// Mark the scan that is shown, if it is in the list.
function markOutlier() {
  for (const button of $("outliers").querySelectorAll("button")) {
    if (+button.dataset.index !== state.index) button.removeAttribute("aria-current");
    else button.setAttribute("aria-current", "true");
  }
}

function showNextOutlier() {
  if (!outliers.length) return;
  const here = outliers.findIndex(({ index }) => index === state.index);
  reached = ((here < 0 ? reached : here) + 1) % outliers.length;
  showScan(outliers[reached].index);
}
