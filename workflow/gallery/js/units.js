// Say what pixel values mean.

const suffixOf = (unit) => (unit === "1" || unit === "" ? "" : ` ${unit}`);
const round = (value) => +value.toFixed(2);
const formatMetres = (value) => `${(round(value) + 0).toFixed(2)} m`; // without -0.00

// Return what a value from 0 to 255 stands for, if all scans have the same scale.
function formatValue({ zero, full, scale, unit, statistic }, value) {
  if (zero === null || statistic === "occupancy") return "";
  const share = value / 255;
  const number = scale === "log"
    ? Math.expm1(share * Math.log1p(full)) : zero + share * (full - zero);
  const digits = unit === "sweeps" ? 1 : unit !== "points" ? 2 : number < 9.5 ? 1 : 0;
  return `≈ ${number.toFixed(digits)}${suffixOf(unit)}`;
}

// Return the values that 0 and 255 stand for.
function formatRange({ zero, full, scale, unit, statistic, is_class_map: isMap }) {
  if (isMap) return "classes";
  if (zero === null) return "each scan's range";
  if (statistic === "occupancy") return "";
  const suffix = scale === "log" ? ", log" : "";
  return `${round(zero)} … ${round(full)}${suffixOf(unit)}${suffix}`;
}

// Return what tells a plane from the others: the heights of its slice, or its values.
function formatMeaning(channel) {
  return channel.z ? `z ${formatHeights(channel)}` : formatRange(channel);
}

const formatHeights = ({ z }) => `${round(z[0])} … ${round(z[1])} m`;

function describeChannel(channel) {
  const { statistic, of, values, z } = channel;
  const field = of ? ` of ${of}` : "", wanted = values ? ` ${values.join(", ")}` : "";
  const slice = z ? ` of z ${formatHeights(channel)}` : "", range = formatRange(channel);
  return statistic.replaceAll("_", " ") + field + wanted + slice + (range && `: ${range}`);
}
