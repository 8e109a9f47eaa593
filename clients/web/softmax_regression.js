/**
 * Softmax regression on a few feature vectors, as scikit-learn's `LogisticRegression()` has it (C = 1): the weights
 * W minimize the cross-entropy, summed over the examples, plus |W|² / 2; the bias is free.
 *
 * With far fewer examples than features W is sought as a sum of the examples, W = Xᵀ A: everything is then computed
 * from the products of the examples with each other.
 */

const ITERATIONS = 400;
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

/** A and the bias, by Nesterov's accelerated gradient descent on the examples `rows` of the products. */
function fit(gram, labels, classes, rows) {
  const count = rows.length;
  const products = rows.map((row) => rows.map((column) => gram[row][column]));
  const means = products.map((line) => line.reduce((sum, value) => sum + value, 0) / count);
  const mean = means.reduce((sum, value) => sum + value, 0) / count;
  const centred = products.map((line, row) => Float64Array.from(line, (value, column) => value - means[row] - means[column] + mean));
  const step = 1 / (1 + largestEigenvalue(centred) / 2);
  const zeros = () => Array.from({ length: classes }, () => new Float64Array(count)); // of each class, of each example
  let weights = zeros();
  let ahead = zeros();
  const bias = new Float64Array(classes);
  for (let iteration = 1; iteration <= ITERATIONS; iteration += 1) {
    const next = zeros();
    const errors = new Float64Array(classes);
    for (let row = 0; row < count; row += 1) {
      const probabilities = softmax(Array.from(bias, (value, each) => value + dot(centred[row], ahead[each])));
      for (let each = 0; each < classes; each += 1) {
        const error = probabilities[each] - (labels[rows[row]] === each);
        errors[each] += error;
        next[each][row] = ahead[each][row] - step * (error + ahead[each][row]);
      }
    }
    const momentum = (iteration - 1) / (iteration + 2);
    ahead = next.map((line, each) => line.map((value, row) => value + momentum * (value - weights[each][row])));
    weights = next;
    for (let each = 0; each < classes; each += 1) bias[each] -= errors[each] / count;
  }
  weights = rows.map((_, row) => weights.map((line) => line[row]));
  for (let each = 0; each < classes; each += 1) { // what centring took away, put into the examples' weights and the bias
    const sum = weights.reduce((total, line) => total + line[each], 0) / count;
    for (const line of weights) line[each] -= sum;
    bias[each] -= weights.reduce((total, line, row) => total + line[each] * means[row], 0);
  }
  return { weights, bias };
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
  for (let fold = 0; fold < folds; fold += 1) {
    const rows = labels.map((_, index) => index).filter((index) => foldOf[index] !== fold);
    const { weights, bias } = fit(gram, labels, classes, rows);
    for (let index = 0; index < vectors.length; index += 1) {
      if (foldOf[index] !== fold) continue;
      const logits = Array.from(bias, (value, each) => value + rows.reduce((sum, row, place) => sum + gram[index][row] * weights[place][each], 0));
      read[index] = logits.indexOf(Math.max(...logits));
    }
  }
  return { read, accuracy: read.filter((value, index) => value === labels[index]).length / read.length, folds };
}
