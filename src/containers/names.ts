import { randomInt } from "node:crypto";

const adjectives =
  "agile amber balanced bold brave bright brisk calm candid careful cheerful clever cordial crisp curious daring deft eager earnest " +
  "elegant fair faithful festive fluent fond frank gentle gifted glad graceful hardy honest hopeful humble jolly keen kind lively " +
  "lucid loyal mellow merry mindful modest nimble noble patient placid polite precise prudent quick quiet radiant ready serene sharp " +
  "silent sincere sober solid steady sunny swift tender thrifty tidy tranquil upbeat valiant vivid warm wise witty zesty";

/** Surnames of people who found something out. */
const surnames =
  "abel ampere anning avogadro babbage banach bernoulli bohr boole born bose bragg brahe cantor cauchy cavendish celsius chandra " +
  "church cori coulomb curie dalton darwin descartes dijkstra dirac euclid euler faraday fermat fermi feynman fourier franklin " +
  "galilei galois gauss germain goedel goodall hamilton hawking heisenberg herschel hertz hilbert hodgkin hooke hopper hubble " +
  "huygens jacobi joule kepler kirchhoff knuth kovalevskaya lagrange laplace lavoisier leibniz lovelace maxwell meitner mendel " +
  "mendeleev mirzakhani napier newton noether nobel ohm pascal pasteur pauli payne planck poincare ptolemy ramanujan raman riemann " +
  "roentgen rutherford sagan shannon somerville tesla torvalds turing volta wallace watt weyl wiles wu yonath";

/** What a name may be: Docker's rule for containers, networks and volumes alike. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export function isContainerName(name: string): boolean {
  return namePattern.test(name);
}

/** `adjective_surname`, with a digit behind it where many were taken. `isTaken` is asked until it says no. */
export function inventName(isTaken: (name: string) => boolean): string {
  const pick = (words: string): string => {
    const list = words.split(" ");
    return list[randomInt(list.length)] ?? "";
  };
  for (let attempt = 0; ; attempt += 1) {
    const name = `${pick(adjectives)}_${pick(surnames)}${attempt < 6 ? "" : randomInt(10 ** Math.min(attempt - 5, 9))}`;
    if (!isTaken(name)) return name;
  }
}
