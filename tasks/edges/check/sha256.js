// SHA-256 (FIPS 180-4), written out because crypto.subtle is not there on every page that is opened from a disk.

const PRIMES = firstPrimes(64);
const ROUND_CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));
const WORDS = new Int32Array(64);

function firstPrimes(count) {
  const primes = [];
  for (let n = 2; primes.length < count; n += 1) if (primes.every((prime) => n % prime)) primes.push(n);
  return primes;
}

/** The first 32 bits after the point. */
function fraction(number) {
  return ((number % 1) * 2 ** 32) | 0;
}

/** The digest of bytes in hex; `pace` is asked now and then, so that the page stays awake. */
async function sha256(bytes, pace) {
  const state = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  const wholeBlocks = bytes.length - (bytes.length % 64);
  for (let at = 0; at < wholeBlocks; at += 64) {
    mix(state, bytes, at);
    if (at % (1 << 20) === 0) await pace(at / bytes.length);
  }
  const tail = padded(bytes.subarray(wholeBlocks), bytes.length);
  for (let at = 0; at < tail.length; at += 64) mix(state, tail, at);
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** The last bytes with a one bit, zeros, and the length in bits after them. */
function padded(rest, length) {
  const tail = new Uint8Array(rest.length < 56 ? 64 : 128);
  tail.set(rest);
  tail[rest.length] = 0x80;
  new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(length) * 8n);
  return tail;
}

/** One block of 64 bytes into the state. */
function mix(state, bytes, at) {
  for (let n = 0; n < 16; n += 1) {
    const place = at + 4 * n;
    WORDS[n] = (bytes[place] << 24) | (bytes[place + 1] << 16) | (bytes[place + 2] << 8) | bytes[place + 3];
  }
  for (let n = 16; n < 64; n += 1) {
    WORDS[n] = (small(WORDS[n - 15], 7, 18, 3) + WORDS[n - 16] + small(WORDS[n - 2], 17, 19, 10) + WORDS[n - 7]) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let n = 0; n < 64; n += 1) {
    const one = (h + large(e, 6, 11, 25) + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[n] + WORDS[n]) | 0;
    const two = (large(a, 2, 13, 22) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, n) => {
    state[n] = (state[n] + word) | 0;
  });
}

function turned(word, by) {
  return (word >>> by) | (word << (32 - by));
}

function small(word, one, two, shift) {
  return turned(word, one) ^ turned(word, two) ^ (word >>> shift);
}

function large(word, one, two, three) {
  return turned(word, one) ^ turned(word, two) ^ turned(word, three);
}
