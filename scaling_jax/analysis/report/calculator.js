// The calculator: what FitResult.optimum does in Python, for every draw.
'use strict';

(() => {
  const data = JSON.parse(document.getElementById('law').textContent);
  const form = document.getElementById('calculator');
  if (!data.approach || !form) return;

  const {law, texts} = data;
  const field = document.getElementById('amount');
  const choice = document.getElementById('level');
  const message = document.getElementById('message');
  const SUFFIXES = {'': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12};
  const ASKED = {flops: 'C', tokens: 'D'};
  const UNKNOWN = {value: NaN, low: NaN, high: NaN};

  function amount(text) {
    let plain = text.replace(/[\s_]/g, '').toLowerCase();
    if (/^[1-9]\d{0,2}(,\d{3})+(\.\d*)?[kmbt]?$/.test(plain)) {
      plain = plain.replace(/,/g, '');
    }
    const found = /^((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([kmbt]?)$/.exec(plain);
    if (!found) return null;
    const x = Number(found[1]) * SUFFIXES[found[2]];
    return x > 0 && x < Infinity ? x : null;
  }

  // Draws: [B, k] as base64 of little-endian float32, row by row.
  function decoded(text, width) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const rows = [];
    for (let i = 0; i < bytes.length / 4; i += width) {
      rows.push(Float64Array.from(
        {length: width}, (_, k) => view.getFloat32(4 * (i + k), true)));
    }
    return rows;
  }

  const rows = decoded(law.draws, law.point.length);

  // Each draw's cost; all have law.cost where there is none.
  const costs = law.cost_draws ?
    decoded(law.cost_draws, 3).map((row) => [law.cost[0], ...row]) : [];

  // A law is [log A', log B', log E, alpha, beta], log N and log D being
  // measured from their centers. The logarithms of C, N, D and of the loss at
  // its optimum are those of laws.Chinchilla in Python.
  function chinchilla([a, b, e, alpha, beta], asked, logX, cost = law.cost) {
    const [n, d] = law.center;
    const ratio = b + beta * d + Math.log(beta) -
      Math.log(alpha) - a - alpha * n;
    const best = cost.length === 2 ? alongLine : alongCurve;
    const {C, N, D} = best(ratio, alpha, beta, asked, logX, cost);
    const L = Math.log(Math.exp(e) + Math.exp(a - alpha * (N - n)) +
      Math.exp(b - beta * (D - d)));
    return {C, N, D, L};
  }

  // costs.CostLine is [slope, log D at C = N = 1].
  function alongLine(ratio, alpha, beta, asked, logX, [slope, atOne]) {
    const best = (atZero) =>
      (Math.log(-slope) + ratio - beta * atZero) / (beta * slope - alpha);
    let C = logX;
    if (asked === 'D') {
      const growth = 1 + slope * beta / (alpha - beta * slope);
      // A law that wants no more tokens with more compute has no such C.
      C = growth > 0 ? (logX - slope * best(atOne) - atOne) / growth : NaN;
    }
    const N = best(atOne + C);
    return {C, N, D: asked === 'D' ? logX : slope * N + atOne + C};
  }

  // costs.CostCurve is [center, level, fall, rate]: log k = log C / (N D), and
  // t = d log C / d log N at one D with its derivative.
  function curve([center, level, fall, rate], N) {
    const share = fall === 0 ? 0 : Math.min(Math.abs(fall) / rate, 1);
    const ahead = Math.max(-700, Math.min(700, rate * (N - center)));
    const fading = share / (share + (1 - share) * Math.exp(ahead));
    const sign = Math.sign(fall);
    return {
      k: level + sign * Math.log1p(share * Math.expm1(-ahead)),
      t: 1 - sign * rate * fading,
      bend: sign * rate * rate * fading * (1 - fading),
    };
  }

  function alongCurve(ratio, alpha, beta, asked, logX, cost) {
    const N = fallingRoot((x) => {
      const {k, t, bend} = curve(cost, x);
      const D = asked === 'D' ? logX : logX - x - k;
      const along = asked === 'D' ? 0 : t;
      return [
        -ratio - alpha * x + beta * D - Math.log(t),
        -alpha - beta * along - bend / t,
      ];
    }, cost[0]);
    const {k, t, bend} = curve(cost, N);
    if (asked !== 'D') return {C: logX, N, D: logX - N - k};
    if (!(alpha + bend / t > 0)) return {C: NaN, N: NaN, D: logX};
    return {C: N + logX + k, N, D: logX};
  }

  // costs.falling_root in Python.
  function fallingRoot(of, start) {
    let low = start;
    let high = start;
    for (let i = 0, step = 1; i < 12; i += 1, step *= 2) {
      const below = of(low)[0] < 0;
      const above = of(high)[0] > 0;
      if (!below && !above) break;
      if (below) low -= step;
      if (above) high += step;
    }
    if (!(of(low)[0] >= 0 && of(high)[0] <= 0)) return NaN;
    let x = start;
    for (let i = 0; i < 80; i += 1) {
      const [y, slope] = of(x);
      if (y > 0) low = x; else high = x;
      let next = x - y / slope;
      if (!(next >= low && next <= high)) next = (low + high) / 2;
      const moved = Math.abs(next - x) > 1e-13 * Math.max(1, Math.abs(x));
      x = next;
      if (!moved) break;
    }
    return x;
  }

  // Two laws are [slope of N_opt, its logarithm at the center, and those of
  // D_opt] in log C; they state no loss.
  function powerLaws([slopeN, atN, slopeD, atD], asked, logX) {
    let C = logX - law.center;
    if (asked === 'D') C = slopeD > 0 ? (logX - atD) / slopeD : NaN;
    return {
      C: C + law.center, N: slopeN * C + atN, D: slopeD * C + atD, L: NaN,
    };
  }

  const evaluate = data.approach === 'chinchilla' ? chinchilla : powerLaws;

  // How far the laws' logarithms lie above the truth, as approach 3 predicts.
  function bias({C}, asked) {
    if (!law.bias) return {};
    const [N, D] = law.bias.map(([slope, atOne]) => slope * C + atOne);
    if (asked === 'C') return {N, D};
    const [slopeN, , slopeD] = law.point;
    return {C: -D / slopeD, N: N - slopeN / slopeD * D};
  }

  // Of logarithms, back to numbers. A draw that is not finite is unbounded on
  // both sides: `percentile_interval` in Python.
  function interval(value, draws, off = 0) {
    if (!Number.isFinite(value)) return UNKNOWN;
    const number = Math.exp(value);
    if (!draws.length) return {value: number, low: NaN, high: NaN};
    const finite = draws.filter(Number.isFinite).sort();
    const open = draws.length - finite.length;
    const tail = (1 - Number(choice.value)) / 2;
    const last = draws.length - 1;
    const bottom = Math.floor(last * tail) - open;
    const top = Math.ceil(last * (1 - tail));
    return {
      value: number,
      low: bottom < 0 ? -Infinity :
        Math.exp(Math.min(finite[bottom], value) - Math.max(off, 0)),
      high: top >= finite.length ? Infinity :
        Math.exp(Math.max(finite[top], value) - Math.min(off, 0)),
    };
  }

  function optimum(asked, x) {
    const names = ['C', 'N', 'D', 'L'].filter((name) => name !== asked);
    const point = evaluate(law.point, asked, Math.log(x));
    const drawn = {};
    for (const name of names) drawn[name] = new Float64Array(rows.length);
    rows.forEach((row, i) => {
      const found = evaluate(row, asked, Math.log(x), costs[i]);
      for (const name of names) drawn[name][i] = found[name];
    });
    const off = bias(point, asked);
    const found = {[asked]: {value: x, low: x, high: x}};
    for (const name of names) {
      found[name] = interval(point[name], drawn[name], off[name]);
    }
    return found;
  }

  // Numbers as scaling_jax/formatting.py shows them.

  const unknown = (x) => !Number.isFinite(x);
  const grouped = (x, most = 0) =>
    x.toLocaleString('en-US', {maximumFractionDigits: most});

  function scientific(x, digits) {
    const [mantissa, exponent] = x.toExponential(digits - 1).split('e');
    const short = mantissa.includes('.') ?
      mantissa.replace(/\.?0+$/, '') : mantissa;
    return `${short}e${Number(exponent)}`;
  }

  function number(x) {
    if (unknown(x)) return texts.unknown;
    if (x === 0) return '0';
    const size = Math.abs(Number(x.toPrecision(4)));
    if (size >= 1000 && size < 1e6) return grouped(x);
    if (size >= 1e-3 && size < 1000) return x.toPrecision(4);
    return scientific(x, 4);
  }

  function count(x) {
    if (unknown(x) || !(x >= 999999.5 && x < 1e18)) return number(x);
    const rounded = Number(x.toPrecision(4));
    const power = Math.floor(Math.log10(rounded) / 3 + 1e-12);
    return (rounded / 1000 ** power).toPrecision(4) + ' KMBTQ'[power];
  }

  function flops(x) {
    if (unknown(x)) return texts.unknown;
    const [mantissa, exponent] = scientific(x, 3).split('e');
    const ten = '10' + exponent.replace(
      /[-\d]/g, (c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]));
    return mantissa === '1' ? ten : `${mantissa} × ${ten}`;
  }

  function factor(x) {
    if (Math.abs(x / 10 - 1) < 1e-6) return texts.ten_times;
    return texts.times.replace('{x}', grouped(Number(x.toPrecision(2)), 12));
  }

  function where(C, N) {
    const [least, most] = law.models || [0, Infinity];
    const known = N >= least / 1.01 && N <= most * 1.01;
    return known ? range(C) : `${range(C)} ${texts.cost_extrapolated}`;
  }

  function range(C) {
    const [low, high] = data.fitted;
    if (C > high * (1 + 1e-6)) {
      return texts.beyond.replace('{factor}', factor(C / high));
    }
    if (C < low * (1 - 1e-6)) {
      return texts.below.replace('{factor}', factor(low / C));
    }
    return texts.within;
  }

  function show(name, x, text) {
    const place = document.getElementById(`calculated-${name}`);
    const [value, ends] = place.children;
    const known = !unknown(x.value);
    // A number without any interval is no number to train by.
    const open = known && unknown(x.low) && unknown(x.high);
    const exact = x.low === x.high;
    value.textContent = open ? texts.no_interval :
      known ? text(x.value) : texts.nothing;
    ends.textContent = !known || open ? '' :
      exact ? texts.given : `[${text(x.low)}, ${text(x.high)}]`;
    for (const part of ['value', 'low', 'high']) {
      if (unknown(x[part])) delete place.dataset[part];
      else place.dataset[part] = String(x[part]);
    }
  }

  function showAll(found) {
    const {C, N, D, L} = found;
    show('C', C, flops);
    show('N', N, count);
    show('D', D, count);
    show('L', L, number);
    show('tokens_per_param', {
      value: D.value / N.value, low: D.low / N.high, high: D.high / N.low,
    }, number);
  }

  function address(asked) {
    const level = Number(choice.value) === data.level ?
      '' : `&level=${choice.value}`;
    return `#${asked}=${field.value.replace(/[\s,_]/g, '')}${level}`;
  }

  function update() {
    const asked = form.elements.asked.value;
    const x = amount(field.value);
    field.setAttribute('aria-invalid', x === null ? 'true' : 'false');
    if (x === null) {
      showAll({C: UNKNOWN, N: UNKNOWN, D: UNKNOWN, L: UNKNOWN});
      message.textContent =
        field.value.includes(',') ? texts.decimal_comma : texts.no_amount;
      // A link copied now must not lead to the amount before.
      if (location.hash) {
        history.replaceState(null, '', location.pathname + location.search);
      }
      return;
    }
    const found = optimum(ASKED[asked], x);
    showAll(found);
    message.textContent = unknown(found.C.value) ?
      texts.no_optimum : where(found.C.value, found.N.value);
    if (address(asked) !== location.hash) {
      history.replaceState(null, '', address(asked));
    }
  }

  function follow() {
    const found =
      /^#(flops|tokens)=([^&]+)(?:&level=([\d.]+))?$/.exec(location.hash);
    if (!found) return;
    form.elements.asked.value = found[1];
    const levels = [...choice.options].map((option) => option.value);
    choice.value = levels.includes(found[3]) ? found[3] : String(data.level);
    try {
      field.value = decodeURIComponent(found[2]);
    } catch {
      field.value = found[2];
    }
    update();
  }

  form.addEventListener('submit', (event) => event.preventDefault());
  field.addEventListener('input', update);
  choice.addEventListener('change', update);
  for (const button of form.elements.asked) {
    button.addEventListener('change', () => {
      // The other amount at the same place of the law.
      const name = ASKED[form.elements.asked.value];
      const x = Number(document.getElementById(`calculated-${name}`)
        .dataset.value);
      if (x > 0) field.value = name === 'D' ? count(x) : scientific(x, 4);
      update();
    });
  }
  window.addEventListener('hashchange', follow);
  follow();
})();
