/**
 * Softmax regression on a few feature vectors, as scikit-learn's `LogisticRegression()` has it (C = 1): the weights
 * W minimize the cross-entropy, summed over the examples, plus |W|² / 2; the bias is free.
 *
 * With far fewer examples than features W is sought as a sum of the examples, W = Xᵀ A: everything is then computed
 * from the products of the examples with each other.
 */

const MOST_ITERATIONS = 2000;
const TOLERANCE = 1e-4; // of every example's gradient: a difference of probabilities
const EXACT_UP_TO = 60; // examples: each is left out once; above, five folds
const FOLDS = 5;

function dot(one, other) {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += one[index] * other[index];
  return sum;
}

function softmax(logits) {
  const highest = Math.max(...logits);
  const powers = logits.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

/** Products of all pairs of vectors, [n][n]. */
export function gramOf(vectors) {
  const gram = vectors.map(() => new Float64Array(vectors.length));
  const numbers = vectors.map((vector) => Float64Array.from(vector));
  numbers.forEach((vector, row) => {
    for (let column = 0; column <= row; column += 1) gram[row][column] = gram[column][row] = dot(vector, numbers[column]);
  });
  return gram;
}

/**
 * A and the bias of the examples `rows`; `start`: { weights, bias } of another fit, by example, to begin with.
 * What is minimized is centred first: then the bias has a direction of its own.
 */
function fit(gram, labels, classes, rows, start = null) {
  const count = rows.length;
  const products = rows.map((row) => rows.map((column) => gram[row][column]));
  const means = products.map((line) => line.reduce((sum, value) => sum + value, 0) / count);
  const mean = means.reduce((sum, value) => sum + value, 0) / count;
  const centred = products.map((line, row) => Float64Array.from(line, (value, column) => value - means[row] - means[column] + mean));
  const found = new Float64Array((count + 1) * classes); // a row for each example, and the bias
  rows.forEach((row, place) => start && found.set(start.weights[row], place * classes));
  if (start) found.set(start.centredBias, count * classes);
  minimize(found, centred, rows.map((row) => labels[row]), classes);
  const lines = Array.from({ length: count + 1 }, (_, row) => found.slice(row * classes, (row + 1) * classes));
  const centredBias = lines.pop();
  const bias = Float64Array.from(centredBias);
  for (let each = 0; each < classes; each += 1) { // what centring took away, put into the examples' weights and the bias
    const sum = lines.reduce((total, line) => total + line[each], 0) / count;
    for (const line of lines) line[each] -= sum;
    bias[each] -= lines.reduce((total, line, row) => total + line[each] * means[row], 0);
  }
  return { weights: lines, bias, centredBias };
}

/**
 * Nesterov's accelerated gradient descent, begun again wherever its momentum points uphill (O'Donoghue and Candès).
 * `found` is a row of values for each example and, last, the bias; the products have been centred.
 */
function minimize(found, products, targets, classes) {
  const count = targets.length;
  const largest = largestEigenvalue(products);
  const step = 1 / (1 + largest / 2);
  const biasStep = step * (largest || 2) / count;
  const ahead = Float64Array.from(found);
  const gradient = new Float64Array(found.length);
  let age = 0; // iterations since the momentum began
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration += 1) {
    if (gradientAt(ahead, products, targets, classes, gradient) < TOLERANCE) break;
    let uphill = 0;
    age += 1;
    const momentum = (age - 1) / (age + 2);
    for (let index = 0; index < found.length; index += 1) {
      const next = ahead[index] - (index < count * classes ? step : biasStep) * gradient[index];
      const move = next - found[index];
      uphill += gradient[index] * move;
      found[index] = next;
      ahead[index] = next + momentum * move;
    }
    if (uphill > 0) {
      age = 0;
      ahead.set(found);
    }
  }
}

/** Writes the gradient into `gradient`; its largest value, the bias's by example. */
function gradientAt(place, products, targets, classes, gradient) {
  const count = targets.length;
  let largest = 0;
  gradient.fill(0, count * classes);
  for (let row = 0; row < count; row += 1) {
    const logits = place.slice(count * classes);
    const line = products[row];
    for (let column = 0, index = 0; column < count; column += 1) {
      for (let each = 0; each < classes; each += 1, index += 1) logits[each] += line[column] * place[index];
    }
    softmax(logits).forEach((probability, each) => {
      const error = probability - (targets[row] === each);
      gradient[row * classes + each] = error + place[row * classes + each];
      gradient[count * classes + each] += error;
      largest = Math.max(largest, Math.abs(gradient[row * classes + each]));
    });
  }
  for (let each = 0; each < classes; each += 1) largest = Math.max(largest, Math.abs(gradient[count * classes + each]) / count);
  return largest;
}

function largestEigenvalue(matrix) {
  let vector = matrix.map((_, index) => 1 + (index % 7) / 7);
  let value = 0;
  for (let turn = 0; turn < 30; turn += 1) {
    const image = matrix.map((line) => dot(line, vector));
    value = Math.hypot(...image);
    if (!value) return 0;
    vector = image.map((each) => each / value);
  }
  return value * 1.05;
}

/** A head: kernel [F][classes] and bias, such that `probabilitiesOf` works for any vector. */
export function train(vectors, labels, classes) {
  const rows = vectors.map((_, index) => index);
  const { weights, bias } = fit(gramOf(vectors), labels, classes, rows);
  const kernel = Array.from(vectors[0], (_, feature) => Array.from({ length: classes }, (__, each) =>
    rows.reduce((sum, row) => sum + vectors[row][feature] * weights[row][each], 0)));
  return { kernel, bias: Array.from(bias) };
}

export const probabilitiesOf = ({ kernel, bias }, vector) =>
  softmax(bias.map((value, each) => value + kernel.reduce((sum, weights, feature) => sum + weights[each] * vector[feature], 0)));

/** For each example its fold: the examples of every class are dealt out in turn. */
export function foldsOf(labels, folds) {
  const order = labels.map((_, index) => index).sort((one, other) => labels[one] - labels[other] || one - other);
  const found = new Array(labels.length);
  order.forEach((index, place) => { found[index] = place % folds; });
  return found;
}

/** For each example the class that is read where it was left out, and the share that is right. */
export function crossValidate(vectors, labels, classes) {
  const gram = gramOf(vectors);
  const folds = vectors.length <= EXACT_UP_TO ? vectors.length : FOLDS;
  const foldOf = foldsOf(labels, folds);
  const read = new Array(vectors.length);
  const all = labels.map((_, index) => index);
  const start = fit(gram, labels, classes, all); // what is fitted without a few of them lies near
  for (let fold = 0; fold < folds; fold += 1) {
    const rows = all.filter((index) => foldOf[index] !== fold);
    const { weights, bias } = fit(gram, labels, classes, rows, start);
    for (let index = 0; index < vectors.length; index += 1) {
      if (foldOf[index] !== fold) continue;
      const logits = Array.from(bias, (value, each) => value + rows.reduce((sum, row, place) => sum + gram[index][row] * weights[place][each], 0));
      read[index] = logits.indexOf(Math.max(...logits));
    }
  }
  return { read, accuracy: read.filter((value, index) => value === labels[index]).length / read.length, folds };
}
