/* Means and their intervals over what the filters leave: as raygrid.report.ranking computes them over all of the grid */

// Levels and folds of one data set in which all columns have a value, such that they are as many cells as possible.
function completeOf(those, nColumns) {
  const folds = grouped(those, (i) => cells.imbalance[i]);
  const whole = [...folds].sort(([a], [b]) => a - b).map(([at, of]) => [at, new Set([...grouped(of, (i) => cells.fold[i])].filter(([, some]) => some.length === nColumns).map(([fold]) => fold))]);
  whole.sort(([, a], [, b]) => b.size - a.size);
  let best = { levels: [], folds: new Set() };
  let shared = null;
  whole.forEach(([, of], k) => {
    shared = shared ? new Set([...shared].filter((fold) => of.has(fold))) : of;
    if (shared.size * (k + 1) > best.folds.size * best.levels.length) best = { levels: whole.slice(0, k + 1).map(([at]) => at), folds: shared };
  });
  return best;
}

// Folds that are tested in turn add up to the whole data set, so that each complete turn takes a degree of freedom.
function degreesOf(folds) {
  const turns = [...grouped(folds, (fold) => Math.floor(fold / data.nFoldsInTurn)).values()];
  return folds.length - Math.max(1, data.nFoldsInTurn > 1 ? turns.filter((turn) => turn.length === data.nFoldsInTurn).length : 0);
}

// The values of a data set's folds, each a mean over levels, in which every method of this data set has a value.
function sampleOf(dataset, those) {
  const columns = grouped(those, (i) => methodOf[i]);
  const { levels: at, folds } = completeOf(those, columns.size);
  const kept = (i) => at.includes(cells.imbalance[i]) && folds.has(cells.fold[i]);
  const means = (of) => new Map([...grouped(of.filter(kept), (i) => cells.fold[i])].map(([fold, some]) => [fold, mean(some.map((i) => valueOf(view.metric, i)))]));
  const correlation = data.correlations[dataset][at.length === 1 ? at[0] : levels.imbalance.length];
  return { dataset, levels: at, n: folds.size, degrees: degreesOf([...folds].map((fold) => levels.fold[fold])), correlation, columns: new Map([...columns].map(([m, of]) => [m, means(of)])) };
}

function samplesOf(those) {
  const known = those.filter((i) => valueOf(view.metric, i) !== null);
  const all = [...grouped(known, (i) => cells.dataset[i])].map(([dataset, of]) => sampleOf(dataset, of)).filter((sample) => sample.n);
  const columns = new Set(known.map((i) => methodOf[i]));
  return all.filter((sample) => sample.columns.size === columns.size);
}

// The standard error knows that folds share images (Nadeau and Bengio, 2003).
function errorOf(values, correlation) {
  const centre = mean(values);
  const variance = values.length > 1 ? values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1) : NaN;
  return Math.sqrt(variance * (1 / values.length + correlation / (1 - correlation)));
}

// A number that the metric, or a difference of two of its values, can have: intervals and bars end there.
function within(value, isDifference = false) {
  const range = data.ranges[view.metric];
  if (!range) return value;
  const [low, high] = isDifference ? [range[0] - range[1], range[1] - range[0]] : range;
  return Math.min(high, Math.max(low, value));
}

// The mean over data sets of the means over folds; of many data sets these are the units, of few their folds.
function estimate(samples, valuesOf, isDifference = false) {
  if (!samples.length) return { value: null, low: null, high: null };
  const ofSets = samples.map(valuesOf);
  const means = ofSets.map(mean);
  const areMany = samples.length >= data.fewest.datasets;
  const errors = ofSets.map((values, k) => errorOf(values, samples[k].correlation));
  const n = areMany ? samples.length : Math.min(...samples.map((sample) => sample.n));
  const error = areMany ? errorOf(means, 0) : n >= data.fewest.folds ? Math.hypot(...errors) / samples.length : NaN;
  const degrees = areMany ? n - 1 : Math.min(...samples.map((sample) => sample.degrees));
  const [value, half] = [mean(means), data.quantiles[degrees - 1] * error];
  return error > 0 && Number.isFinite(half) ? { value, low: within(value - half, isDifference), high: within(value + half, isDifference) } : { value, low: null, high: null };
}
