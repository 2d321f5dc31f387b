// Numbers as text. A missing number (null in the data) is an en dash.
const NONE = '–';
const integers = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat('en', { maximumSignificantDigits: 5 });
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const minus = (text) => text.replace('-', '\u2212');

// Whole numbers in full, others with five significant digits.
export function figure(value) {
  if (!isNumber(value)) return NONE;
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e15)) return minus(value.toExponential(3));
  return minus((Number.isInteger(value) || Math.abs(value) >= 1e5 ? integers : decimals).format(value));
}

export function figureWithUnit(value, unit) {
  return isNumber(value) && unit ? `${figure(value)} ${unit}` : figure(value);
}

export function fixed(value, digits) {
  return isNumber(value) ? minus(value.toFixed(digits)) : NONE;
}

export function percent(value, { digits = 2, sign = false } = {}) {
  if (!isNumber(value)) return NONE;
  const text = value.toFixed(digits);
  const plus = sign && Number(text) > 0 ? '+' : '';
  return `${plus}${minus(Number(text) === 0 ? (0).toFixed(digits) : text)}\u00a0%`;
}

// Of an axis: 1, 20, 5k, 100M.
export function short(value) {
  if (value === 0) return '0';
  for (const [factor, prefix] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (Math.abs(value) >= factor && Math.abs(value) < 1e15) return minus(`${Number((value / factor).toPrecision(3))}${prefix}`);
  }
  const small = Math.abs(value) < 1e-3 || Math.abs(value) >= 1e15;
  return minus(small ? value.toExponential(0) : String(Number(value.toPrecision(3))));
}

export function titleWithUnit(title, unit) {
  return unit ? `${title} [${unit}]` : title;
}

// A value with the prefix of its size: 12.5 µJ of 12.5e6 pJ.
export function withPrefix(value, unit) {
  if (!isNumber(value)) return NONE;
  for (const [factor, prefix] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n'], [1e-12, 'p']]) {
    if (Math.abs(value) >= factor * 0.9995) return minus(`${Number((value / factor).toPrecision(4))}\u00a0${prefix}${unit}`);
  }
  return `0\u00a0${unit}`;
}

// 1.5 KiB
export function bytes(value) {
  if (!isNumber(value)) return NONE;
  for (const [factor, unit] of [[2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']]) {
    if (value >= factor) return `${Number((value / factor).toPrecision(4))}\u00a0${unit}`;
  }
  return `${integers.format(value)}\u00a0B`;
}
