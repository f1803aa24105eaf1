// The calculator: the same arithmetic as scaling_jax/analysis/calculator.py.
'use strict';

(() => {
  const law = JSON.parse(document.getElementById('law').textContent);
  const form = document.getElementById('calculator');
  if (!law.law || !form) return;

  const field = document.getElementById('amount');
  const said = document.getElementById('said');
  const SUFFIXES = {'': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12};
  const NAMES = {C: 'flops', D: 'tokens'};

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

  function complaint(text) {
    if (text.includes(',')) {
      return 'Use a point for decimals, and commas for thousands alone: 1.5e12.';
    }
    return 'That is no amount: it must be a positive number; ' +
      'try 1e18, 10B or 3T.';
  }

  function centre(asked, x) {
    const [N0, a] = law.N;
    const [D0, b] = law.D;
    const C = asked === 'C' ? x : (x / D0) ** (1 / b);
    const N = N0 * C ** a;
    const D = asked === 'C' ? D0 * C ** b : x;
    let L = null;
    if (law.loss) {
      const [E, A, B, alpha, beta] = law.loss;
      L = E + A * N ** -alpha + B * D ** -beta;
    }
    return {C, N, D, L};
  }

  function limits(asked) {
    const grid = law[NAMES[asked]];
    if (grid.length < 2) return null;
    return [
      Math.exp(grid[0][0]) * (1 - 1e-9),
      Math.exp(grid[grid.length - 1][0]) * (1 + 1e-9),
    ];
  }

  function ratio(D, N) {
    return D === null || N === null ? null : D / N;
  }

  function read(asked, x) {
    const grid = law[NAMES[asked]];
    const range = limits(asked);
    if (!range || x < range[0] || x > range[1]) return null;
    const last = grid.length - 1;
    const logX = Math.min(Math.max(Math.log(x), grid[0][0]), grid[last][0]);
    let i = 1;
    while (i < last && grid[i][0] <= logX) i += 1;
    const before = grid[i - 1];
    const after = grid[i];
    const share = (logX - before[0]) / (after[0] - before[0]);
    const middle = centre(asked, x);
    const found = {[asked]: {value: x, low: x, high: x}};
    ['C', 'N', 'D', 'L'].filter((name) => name !== asked).forEach((name, k) => {
      const value = middle[name];
      const ends = [1 + 2 * k, 2 + 2 * k].map((column) => {
        const [one, other] = [before[column], after[column]];
        if (value === null || one === null || other === null) return null;
        return value * Math.exp(one + share * (other - one));
      });
      found[name] = {value, low: ends[0], high: ends[1]};
    });
    found.tokens_per_param = {
      value: ratio(found.D.value, found.N.value),
      low: ratio(found.D.low, found.N.high),
      high: ratio(found.D.high, found.N.low),
    };
    return found;
  }

  // Four significant digits, as the tables show them.
  function number(x) {
    if (x === null) return '?';
    if (x >= 1000 && x < 1e6) return Math.round(x).toLocaleString('en-US');
    if (x >= 1e-3 && x < 1000) {
      const short = x.toPrecision(4);
      return short === '1000' ? '1,000' : short;
    }
    const [digits, exponent] = x.toExponential(3).split('e');
    const size = exponent.slice(1).padStart(2, '0');
    return `${digits}e${exponent[0]}${size}`;
  }

  function count(x) {
    if (x === null || !(x >= 1e6 && x < 1e15)) return number(x);
    const thousands = Math.floor(Math.log10(x) / 3);
    return (x / 10 ** (3 * thousands)).toPrecision(4) + ' KMBT'[thousands];
  }

  function flops(x) {
    const [digits, exponent] = x.toExponential(2).split('e');
    const power = '10' + exponent.replace('+', '').replace(
      /[-\d]/g, (c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]));
    const short = String(Number(digits));
    return short === '1' ? power : `${short} × ${power}`;
  }

  function show(name, estimate, text) {
    const place = document.getElementById(`calculated-${name}`);
    if (!place) return;
    const [value, interval] = place.children;
    const known = estimate && estimate.value !== null;
    value.textContent = known ? text(estimate.value) : '–';
    // A number without any interval is no number to train by.
    const open = known && estimate.low === null && estimate.high === null;
    if (open) value.textContent = 'no interval';
    const exact = known && estimate.low === estimate.high;
    const ends = known && !open && !exact;
    interval.textContent = ends ? `[${[estimate.low, estimate.high].map(
      (x) => (x === null ? '?' : text(x))).join(', ')}]` : exact ? 'given' : '';
    for (const part of ['value', 'low', 'high']) {
      place.dataset[part] = known && estimate[part] !== null ?
        String(estimate[part]) : '';
    }
  }

  function times(factor) {
    if (Math.abs(factor / 10 - 1) < 1e-6) return 'ten times';
    return `${Number(factor.toPrecision(2)).toLocaleString('en-US')} times`;
  }

  function where(C) {
    const {low, high, inside, largest, smallest} = law.fitted;
    let said;
    if (C > high * (1 + 1e-6)) {
      said = `${times(C / high)} the ${largest}`;
    } else if (C < low * (1 - 1e-6)) {
      said = `${times(low / C)} below the ${smallest}`;
    } else {
      return `Within the ${inside}.`;
    }
    return `Extrapolated, ${said}: the interval holds only if the law keeps ` +
      'its shape that far.';
  }

  function asked() {
    return form.elements.asked.value === 'tokens' ? 'D' : 'C';
  }

  function update() {
    const name = asked();
    const x = amount(field.value);
    const found = x === null ? null : read(name, x);
    field.setAttribute('aria-invalid', found ? 'false' : 'true');
    const shown = found || {};
    show('C', shown.C, flops);
    show('N', shown.N, count);
    show('D', shown.D, count);
    show('L', shown.L, number);
    show('tokens_per_param', shown.tokens_per_param, number);
    if (found) {
      said.textContent = where(found.C.value);
      const hash = `#${NAMES[name]}=${field.value.replace(/[\s,_]/g, '')}`;
      if (hash !== location.hash) history.replaceState(null, '', hash);
      return;
    }
    // A link copied now must not lead to the amount before.
    if (location.hash) {
      history.replaceState(null, '', location.pathname + location.search);
    }
    if (x === null) {
      said.textContent = complaint(field.value);
    } else {
      const text = name === 'C' ? flops : count;
      const [low, high] = limits(name).map(text);
      said.textContent = `The law is stated from ${low} to ${high} ` +
        `${name === 'C' ? 'FLOPs' : 'tokens'}, and not outside.`;
    }
  }

  function follow() {
    const found = /^#(flops|tokens)=([^&]+)$/.exec(location.hash);
    if (!found || !law[found[1]].length) return false;
    form.elements.asked.value = found[1];
    try {
      field.value = decodeURIComponent(found[2]);
    } catch {
      field.value = found[2];
    }
    update();
    return true;
  }

  form.addEventListener('submit', (event) => event.preventDefault());
  field.addEventListener('input', update);
  for (const choice of form.elements.asked) {
    choice.addEventListener('change', () => {
      // The other amount at the same place of the law, to go on from there.
      const place = document.getElementById(`calculated-${asked()}`);
      const x = Number(place.dataset.value);
      if (x > 0) field.value = asked() === 'D' ? count(x) : number(x);
      update();
    });
  }
  window.addEventListener('hashchange', follow);
  follow();
})();
