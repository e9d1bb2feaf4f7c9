/* The mean of some values and its interval */

// Values are averaged within a fold, then over the folds of a data set, then over data sets.
function estimate(values) {
  const those = values.map((one) => (typeof one === "number" ? { i: one, value: valueOf(view.metric, one) } : one));
  if (!those.length) return { value: null, low: null, high: null };
  const sets = [...grouped(those, (one) => cells.dataset[one.i]).values()].map((of) => {
    const folds = [...grouped(of, (one) => cells.fold[one.i]).values()].map((some) => mean(some.map((one) => one.value)));
    const centre = mean(folds);
    const variance = folds.length > 1 ? folds.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (folds.length - 1) : NaN;
    return { centre, squared: variance * (1 / folds.length + data.overlap), n: folds.length };
  });
  const value = mean(sets.map((set) => set.centre));
  const error = Math.sqrt(sets.reduce((sum, set) => sum + set.squared, 0)) / sets.length;
  const quantile = data.quantiles[Math.min(...sets.map((set) => set.n)) - 2] ?? 1.96;
  return Number.isFinite(error) ? { value, low: value - quantile * error, high: value + quantile * error } : { value, low: null, high: null };
}
