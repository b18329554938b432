// Find scans worth a look: those that failed, with warnings, and with unusual counts.

const OUTLIER_LIMIT = 6; // times the usual deviation from the median
const MAX_LISTED = 60; // scans in the list
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
let outliers = []; // the scans worth a look, in order

function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function findOutliers(results, doubts) {
  const found = new Map();
  for (const [key, reason] of Object.entries(doubts)) {
    const index = Number(key);
    found.set(index, { index, failed: false, warned: true, excess: Infinity, reason });
  }
  results.forEach((result, index) => {
    if (typeof result === "string") {
      found.set(index, { index, failed: true, excess: Infinity, reason: result });
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
      found.set(index, { index, failed: false, excess, reason });
    });
    const highest = known.reduce((a, b) => Math.max(a, b), 0);
    return { key, name, label, values, extremes, highest };
  }).filter(({ key, highest }) => highest > 0 || ALWAYS_SHOWN.includes(key));
  outliers = [...found.values()].sort((a, b) => a.index - b.index);
}

// List the outliers; if there are too many, those that deviate most.
function listOutliers() {
  const listed = [...outliers].sort((a, b) => b.excess - a.excess || a.index - b.index)
    .slice(0, MAX_LISTED).sort((a, b) => a.index - b.index);
  const count = outliers.length > MAX_LISTED
    ? `${MAX_LISTED} of ${outliers.length}` : outliers.length;
  $("outliers").hidden = !outliers.length;
  $("outliers").querySelector("h2").textContent = `Worth a look: ${count}`;
  $("outliers").querySelector("ol").replaceChildren(...listed.map(
    ({ index, failed, warned, reason }) => {
      const className = failed ? "failed" : warned ? "warned" : "";
      const button = make("button", { type: "button", className },
        make("b", { textContent: DATA.scans[index] }),
        make("span", { textContent: reason }));
      button.onclick = () => showScan(index);
      return make("li", {}, button);
    }));
}

function showNextOutlier() {
  const next = outliers.find(({ index }) => index > state.index) ?? outliers[0];
  if (next) showScan(next.index);
}
