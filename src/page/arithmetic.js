'use strict';
// Single precision, as the program computes: every sum, product and quotient is rounded to 32 bits
// with f32. JavaScript computes in double precision, and a double that is rounded to single is the
// correctly rounded result of each single operation (+, -, *, /), so the bits are those of C. The
// order of operations is that of src/base/elementary.h and src/kernels/kernels_scalar.c.

const f32 = Math.fround;

// The bits of a float as an unsigned integer, and back.
const floatOfBits = new Float32Array(1);
const bitsOfFloat = new Uint32Array(floatOfBits.buffer);

function f32Bits(x) {
  floatOfBits[0] = x;
  return bitsOfFloat[0];
}

function f32FromBits(bits) {
  bitsOfFloat[0] = bits;
  return floatOfBits[0];
}

// c[0] r^n + c[1] r^(n-1) + ... + c[n], by Horner's rule.
function horner(r, coefficients) {
  let sum = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) sum = f32(f32(sum * r) + coefficients[i]);
  return sum;
}

const LN2_HIGH = f32(0.693359375);
const LN2_LOW = f32(-2.12194440e-4);
const LOG2_E = f32(1.44269504);
const ROUNDER = 12582912; // 1.5 * 2^23: adding it rounds to a whole number
const EXP_COEFFICIENTS = [
  1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1
].map(f32);
const LOG_COEFFICIENTS = [
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
  -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1
].map(f32);

// e^x: x = n ln2 + r, e^r = 1 + r + r^2 P(r), e^x = 2^n e^r.
function exp32(x) {
  if (x < -87) x = -87;
  if (x > 88) x = 88;
  const shifted = f32(f32(x * LOG2_E) + ROUNDER);
  const n = f32(shifted - ROUNDER);
  let r = f32(x - f32(n * LN2_HIGH));
  r = f32(r - f32(n * LN2_LOW));
  const expR = f32(f32(f32(horner(r, EXP_COEFFICIENTS) * f32(r * r)) + r) + 1);
  return f32(expR * f32FromBits((f32Bits(shifted) << 23) + 0x3f800000));
}

// ln x: x = 2^n (1 + r), ln(1 + r) = r - r^2 / 2 + r^3 P(r), ln x = n ln2 + ln(1 + r).
function log32(x) {
  const shifted = (f32Bits(x) - 0x3f3504f3) | 0;
  const n = shifted >> 23;
  const r = f32(f32FromBits((shifted & 0x007fffff) + 0x3f3504f3) - 1);
  const z = f32(r * r);
  const small = f32(horner(r, LOG_COEFFICIENTS) * f32(z * r));
  const tail = f32(f32(small + f32(n * LN2_LOW)) - f32(0.5 * z));
  return f32(f32(f32(r + tail) + f32(n * LN2_HIGH)) + (x - x)); // x - x: NaN when x is not finite
}
