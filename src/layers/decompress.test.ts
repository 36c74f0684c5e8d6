import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { decompress } from "./decompress.ts";

/** One text, compressed by the usual programs in their several ways. */
const samples: Readonly<Record<string, string>> = {
  "bzip2 -9":
    "QlpoOTFBWSZTWQiT8rkAClr///d9dt9kY8X1Xvz33z95/ufav9/3+Stf//zB74sp5//9sAGZthApUBo0ABoAGgADQDQDQaNDQABoaAGgAAaGgaAyNHqBkyNMTJ6jA1N6UO9UGgAaBoA00GjJpoyYgyaNDRoDQMACaNMEyBkGIDQBk0MmjQaAAyaAaBFVKaaaGTTJiYTQNMjQDTBDQAANDQNABiMT1MjQwEyBoA9PVAaNAGmgADQD9gCA2GCEBAczC1KF30YoAQHlwoNVwu/P7BC88dXafau7N7lon1k6e4uKf27SU2ux3NNDqARVqQRV4AIoAQwABAgAABv7mYfdxjOwk+w2yGRXS884hMlewFZfxsV/Gmw501d4T9zxU+0tlqX1VVh5Hf56tXENeE3PlHzNHXWrMZSu5KXKHU8nipwQhAHRmwgAdCEIVAFQ3ajkUIsABAVCLBFXGYNVUAVDqgirC08Pp4gEVd557rDgirRRARVobsEVaG2kgRVhwAirt+PACKsQEVZOPBFWUBFWcpopQVd1ACKsAACAIQh2IXysEG2z42eWJYuh0WNlEN8XdIAwuafWYjmHbxInYkSq+063AZJrvGYyLutOJC7FMYG+2/oyEMnYH3gvE+BPRpbmyv35HrtkNRhFadocZfvsxcDJ5AL+i30S4t9f1W56jU3CdKRCgHT3rB4320aWWGPM0jXpSR2i8oS1PtGjZkadX4F8Z4UpIwrNsIg43WKOLAK0wq5F3eUHQgAAAQAAERKhEd2Bf4u5IpwoSARJ+VyA",
  "bzip2 -1 of several blocks":
    "QlpoMTFBWSZTWVoLN+QAQRcBADgAIAAwzAUppqpCB1UhA1UhA8xQVkmU1lQRIFfAApa///3fXbfZGPF9V78998/ef7n2r/f9/krX//8we+LKef//bABmbYQKlADIAAGgaAANADTQBo0NAAaBoGhoAAAyNAANHohk0NM1MnqNoNTelDvVBoAGgaANNBoyaaMmIMmjQ0aA0DAAmjTBMgZBiA0AZNDJo0GgAMmgGgRVSmmmhk0yYmE0DTI0A0wQ0AADQ0DQAYjE9TI0MBMgaAPT1QGjQBpoAA0A/YAgNhghAQHMwtShd9GKAEB5cKDVcLvz+wQvPHV2n2ruze5aJ9ZOnuLin9u0lNrsdzTQ6gEVakEVeACKAEMAAQIAAAb+5mH3cYzsJPsNshkV0vPOITJXsBWX8bFfxpsOdNXeE/c8VPtL5Y36e1Zg8t/nLVsS1SHZ92fMwca1ZirBkxtEOsTKFmAIIATQmxAAPgAACAI7tRyKEWgIAjFgirjMGAIAj1QRVhaeH08QCKu8891hwRVoogIq0N2CKtDbSQIqw4ARV2/HgBFWICKsnHgirKAirOU0UoKu6gBFWABFWzl1Ngj2mfEzygrhohLjIiW+LuEgY3JzVZDmndQTOmA+19pVqAhPd4zKReF57sMsk5oX7b+ZARVTFCXMmPErn0dvYYb8j1W29T4RY40PEfvqycKTBRh/ot9CNCfX9Vuem1OwvR2byMdVesS++2jYRca8qrlYdpQ7Rg7FNULRo2IqnV+BfUiTtKFDZtgknm65XwoC1MGuS96mDoQAAAQAACBKVpT+uH/F3JFOFCQ5FLulwA==",
  "bzip2 of two streams":
    "QlpoOTFBWSZTWbvAGqEAAKaBADgAIAAwzAmqaZFLoUsil4u5IpwoSF3gDVCAQlpoOTFBWSZTWWxuvS4AV+X///d9dt9kY8X1Xvz33z95/ufav9/3+Stf//zB74sp5//9sAGZthAiVAAAAAANAA0ADQANAAGgAAaAAAMjQAAYgNA09TJ6jyaB6UO9UGgAaBoA00GjJpoyYgyaNDRoDQMACaNMEyBkGIDQBk0MmjQaAAyaAaBFVKep6gGgPKaBpoBoaBk9RppoNGgAZA9TQBo0yPUNGQ0D1ABpo9PVAAAAGmTTQDP6AIDxroICA5WFpELLqQwBAePCg0u88M/q0PF56rlfjh9vy5OXbRZEqVI+evjbDW7Smk1AIq70EVd0CKAEMAAQIAAAb+5mH3cYzsJPsNshkV0vPOITJXsBWX8bFfxpsOdNXeE/c8VPtfUbO+PrSXfDcZXx8P61FTyzU5ZBJFesSqCEk7ikqEiZRdCEAsySAArQEAKoihtVHFoQ4ggqiKEQEVcPEEFURQsARVhaOT15gEVdt6+regRVzUsEVY9kCKsfmRQRVkwAirsqyAEVZYIqxb6CKsYEVcfTQ1BVp4ARVgAAQCEIWm+J6lDrLN5ZjDUkPyPBxV7HA2F4K7M9olEnWtMvlIAfqgzqW5L7LXBKONn0f6IYrsOpfxj4FjS+Su/boaA7jePN19RVtnOaw2p+9bTxh8v+9CmSbu0I2EE5jIevthRs+etp3vk6NpCT5W6tu210I9KTvfRcKrpNJMVNRq2/MMXF0TS6Agm0XSalHWLhrz7FT57ty2zw6ZH1p3mYAAAQAAhm+aOt0x/4u5IpwoSDY3XpcA==",
  xz: "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj5QrLAdZdADCYiK1LNxKjMYXd+lME7evfQrgS8x/qmK6BARbvZMTWAMZN6eRdTCrA6Ew7H1KdTgkvyVR7yu+RFktjQNTpNuystdI+if/efUoERucR5vHRfKJ/9ZgeZx9ZfdoxSDEQyDzF7IFiAWRHLLxiXX0+N1uJtgLyO8UPjiiu3gkLbxBfLAu1Lontn8LxTO6asTQoTjyH8w3ZOefAxQrmu6+Sj7oXE10os5ZVZwS2Cu4dSikWbrxjKsgSPfBv2GxIWeiTQYlQf5nxluyOrghEti8uiHey8Lm4GcarJpeeRttAhCb2yV8PMcfMVLpTYT747/uMuoJh1mI0/504Mhnn+xE1ldQK9UC3TjK5kP3UR4Q/spuWNJrPW7565fP+v+wQZagtsK9de1abySTx5Q6oTYsy+j0jbdcIM8WsDPllajCGiIAlgBYlyUbT2R3dfhkopGl5v+7FWpuXtFRR6K45FMywl5DJ5Qw+sKDskH6l6AAFRoID7xRRAtP1/VuLUj0u9V2Bi3uB6Po6pj5UJx0RDRrkSR3EaYm8ZGXj536UAH0pTJgyTRvUV3NtpuHI/nkhtagt7l7MllKQOkCrcFeNOepHi4EghuXnOX+XqBNHWyVP2aW/B/QHiu9gAAAAaBmQVX0LQgQAAfIDzJUUAO/qQjWxxGf7AgAAAAAEWVo=",
  "xz with SHA-256 and other contexts":
    "/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj5QrLAcdJADCYiNwAF3o8AOpFV8Un49Qe1Xc1dGycN6+qTz+ZpQmD54t04BIiZvf+M0eRjJYhlYLCX/ZXCT/nynuDOqP872BnWLkHO9LFH+5ChRWzrHKUHHsepF2jDYC+z35jv8KOpZr+eYa8MZ3R1DsnBPgluvrZmB/qd/pQQhiBhDvXyhXS4wqHymFwPrqxA2er3yDZ7LTr+nwJnaedLpiB/xoAAWJXbSsJro9iuy862lhnTDgP+nm6ElTCWwnnmVJyD4Sc1N9lrmZJB8H7O5s94pCOXDnKVBfVCXSR2UqjG4MxAxgNPFYOSoMV8v1jexqw8chpndsRNiPtlJwGhenTqBvwFkeVpVWfNQolg9XAZzpUcrX0y2rHElKLck+aaObxd5rQGuBFsJi1nVYUNe9lsxkq5zD56ZuN9oFoVYbKLi+3iz7DIMRbrIeVxx4KAiqUuAS7RcXBy30ZncftPFXe8esLbqduIc5VH3nkEFePq1eP563wJMS/R8iwyRjpjdHhUZ3IjgGd13n0o9LM2JYsS/9aJqxyDBaSp745jyThcJ6nInhwj99NHXYFlNyXWJDqdEIPJ58Pt8r+1On7JNGZyePWh0Gk13RMzrgAAAAGyslozHDKo3l9aDOJtSTngl8kzUzPrJP/15MJK5o5uQAB+wPMlRQAJ7tNErbp3xwCAAAAAApZWg==",
  "xz of many blocks with CRC32":
    "/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4P//AFBdADCYiK1LNxKjMYXd+lME7evfQrgS8x/qmK6BARbvZMTWAMZN6eRdTCrA6Ew7H1KdTgkvyVR7yu+RFktjQNTpNuystdI+if/efUoERipPX0gAAJB/DZ8CACEBFgAAAHQv5aPg//8BjV0AMRjIXjTuPHNWxqiT52YqEKaoYhvCvhHuZhoJ+hyq7bWKYsqgD9vlTq4L9yDY+OxPu8AgmjhUR1x7fSF8W3EVB67DxGbQsyp1c44O95zQmMTegCaLc4E6mo0v6dQ0L4iONx9fkwPK5HgXu72fruIJrdtRaC1tDMj8lY4Ij80ky1pd1qj4R1dgirPBkGeT2sWNKk3irXoEEZA6yCos7M15cSqf/3Qk/OrhjyR2e0DoohXSHOaDuwItwZafVkYnTcNvW7Dm/7DLyJuz9g0uLC8WhlSHxfl515DAQ/XV3lD9vbjQhgQhOYgcHMwTny6Rvj1YFw5B+lTGsxPkTaXKLu0kYgJFsvg4P2bSUXVvFzzXKh+Th1eWOz9tnxFgs7zS81P9fb1TrKN9fOdBYUwdbp5bu+wpVNOhwbh3OZIGRYOcJI5OQs9lRbN13dHrKhPzfSQ7P872K+8uwuycvx2bjVbV5sa+USAR7upNIx+E8o7eVxdYLCev41ERkieY4+s/EB/11zKhNC7Ll/YrRkggAAAAAABujWqQAgAhARYAAAB0L+Wj4P//AExdAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wjEVPgWRjFdYrid/i2lH8MasDedElkXJ460QAA646X1wIAIQEWAAAAdC/lo+D//wBMXQAAb/3//6O3/0c+SBVyOWFRuJIo5qOGB/nu5B6C0y/FOjwBS7F+yYqKTS+jDdl/puOMIxFT4FkYxXWK4nf4tpR/DGrA3nRJZFyeOtEAAOuOl9cCACEBFgAAAHQv5aPg//8AZl0AAG/9//+jt/9HPkgVcjlhUbiSKOajhgf57uQegtMvxTo8AUuxfsmKik0vow3Zf6bjjCMRU+BZGMV1iuJ3+LaUfwxqwN50FzPd7Js1I9BSjSwCUCQveA3cmEJnWTMo0nRRFbkB6AAAAAAAHaDpMgIAIQEWAAAAdC/lo+AKywAwXQA6GgjOdsfl6dYHNMPRDr/OVeGqveEdCz/bBJdQVyZ0w6eiEPf5kax+E5tlmbCmhAAAF3EO9AAGaICABKUDgIAEZICABGSAgAR+gIAESMwVAACT4vkijaHA2wcAAAAAAVla",
  "xz without checks, small dictionary":
    "/Td6WFoAAAD/EtlBAgAhAQAAAAA3J5fW5QrLAdddADCYiK1LNxKjMYXd+lME7evfQrgS8x/qmK6BARbvZMTWAMZN6eRdTCrA6Ew7H1KdTgkvyVR7yu+RFktjQNTpNuystdI+if/efUoERucR5vHRfKJ/9ZgeZx9ZfdoxSDEQyDzF7IFiAWRHLLxiXX0+N1uJtgLyO8UPjiiu3gkLbxBfLAu1Lontn8LxTO6asTQoTjyH8w3ZOeaBq41JT+zG9M7zU3Rb2hRl2gveR7yGQ/Ye7uZ7nqeLvkMnExeZURJNBHNllPrtOTDRABJLNIiMKCuUDGVidf91BfTHmFmz8+qQyqCl2SdFsIYRrqXFk9g1deT8wrumYkDJxAxtMk4G4LcB3kNZkgWqxJNg01lcOSD0zkl/bpLsuA8fEjtKTItawlFPZEjLVer7tiSfjOk25lEeJJR1/Qn1M6G1OF1Gn9ysUWQp6zsGAuoselK56jRYyPmayOxR8hHZQxV6M+67z1r+g/GtKizyURX1NvO/dQPoUPdtZqlh3Z34bbO/n75S0lifkFfCHSbbiIjCTBxsEeZjHfkC1HGnVcVo/YHu0gCP0E6vJiiUcR89jyThcJ6dmYMXIhSydpktVvGPOC1xF0wcobtBLSHXUPgp9dQB8UCgvZcmEX4gAAAAAAHrA8yVFAC8uZsRqAAK/AIAAAAAAFla",
  "xz of two streams with padding":
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4APnAA5dADCYiK1LNxKjMYRHS8YAAAAAu4EWUo4qqkgAASroBwAAACpGEeCxxGf7AgAAAAAEWVoAAAAAAAAAAP03elhaAAAE5ta0RgIAIQEWAAAAdC/lo+UG4wHWXQAxGMheNO48c1bGqJPnZioQpqhiG8K+Ee5mGgn6HKrttYpiyqAP2+VOrgv3INj47E+7wCCaOFRHXHt9IXxbcRUHrsPEZtCzKnW+3LdsBbzehBUoG0cgiz471Eb8tqf/EADBjqQ9GI0GbvVctLol0EJBHDwmhamk+OBQ5XFuHw2RR7B+g7jh5LfcGU1oj109ssr2VM2XnIL3CXXzNGTgD4S61xgyd5x0jl5PXFyTQWAQxu3qj1Rt87NInR39dh/bihl+f+M3chz7JLtjDIuLB9dNVG6Amv8OREaD8xqE9xCU1c1Jc2GT/gCdOS/q0YP0j46aktLq5/nK3cm/hUzL4cRkWqr0uTl1DrCF7WFSx0fbVB2UPOrpW40Cjf7J9/A1RKUmtq71CoYqzuxkoh2NjR5vHypXCUEJ+t4weNxpQ37m0wLHFekCCJdLCGE7/D87h3A1K33QPlEZHoslxhPXYJfzzOz03nEzn3ZcskXYfwxDd44WK+J2e5UFNdQqqV/yN5PoM4iVYyRYMAjws0eUNm7NxFkYDq97w9EQioaHIsx8MRqft40xbnCepyNf7CjLU03ltSrRj5yplQEfJMYJDC0e10blovcxV9VzlqqVbtnih0MlUJIMAAAAACJwNcmIrsGTAAHyA+SNFAD2n/FCscRn+wIAAAAABFla",
};
const plainDigest = "06cac968cc70caa3797d683389b524e7825f24cd4ccfac93ffd793092b9a39b9";

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The digest of what the bytes unpack to. At most `maxBytes`, so that a mutated sample cannot keep a test busy. */
async function unpack(bytes: Uint8Array, size = 1 << 16, maxBytes = 1 << 24): Promise<string> {
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of (await decompress(inChunks(bytes, size))).content) {
    hash.update(chunk);
    length += chunk.length;
    if (length > maxBytes) break;
  }
  return hash.digest("hex");
}

for (const [name, base64] of Object.entries(samples)) {
  const bytes = Buffer.from(base64, "base64");
  test(`C13 ${name} is undone, however it arrives`, async () => {
    for (const size of [1 << 16, 1000, 7]) assert.equal(await unpack(bytes, size), plainDigest);
    const { compression, content } = await decompress(inChunks(bytes, 4096));
    assert.equal(compression, name.split(" ")[0]);
    for await (const _ of content) break; // leaving early is no failure
  });

  test(`C13 ${name}, cut short or damaged, fails with a code and never passes for whole`, async () => {
    const attempt = async (damaged: Uint8Array): Promise<void> => {
      let digest: string;
      try {
        digest = await unpack(damaged);
      } catch (error) {
        assert.ok(isVarveError(error), String(error));
        assert.match(error.code, /^LAYER_COMPRESSION_/);
        return;
      }
      // Without a check of its own, or in bytes that say nothing, xz cannot tell; a cut between two streams is a whole stream.
      if (!/without checks|two streams/.test(name)) assert.equal(digest, plainDigest);
    };
    const cuts = fc.integer({ min: 6, max: bytes.length - 1 }).map((length) => bytes.subarray(0, length));
    const flips = fc.tuple(fc.integer({ min: 6, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ mask;
      return copy;
    });
    await fc.assert(fc.asyncProperty(fc.oneof(cuts, flips), attempt), { numRuns: 150, interruptAfterTimeLimit: 10_000 });
  });
}

test("C13 xz that asks for more memory than the limit, or for a filter, is refused by name", async () => {
  const failsWith = (code: string, limit?: string) => (error: unknown) =>
    isVarveError(error) && error.code === code && error.details["limit"] === limit;
  await assert.rejects(unpack(Buffer.from(hungry, "base64")), failsWith("LAYER_COMPRESSION_LIMIT", "maxDictionaryBytes"));
  await assert.rejects(unpack(Buffer.from(filtered, "base64")), failsWith("LAYER_COMPRESSION_UNSUPPORTED"));
});

const hungry = "/Td6WFoAAATm1rRGAgAhASQAAABeH8f54AAJAAZdADxrfAAAAAAAAJhPtU19mP30AAEiChUa4WcftvN9AQAAAAAEWVo=";
const filtered = "/Td6WFoAAATm1rRGAgEEACEBDADWfBiv4AAJAAZdADxrfAAAAAAAAJhPtU19mP30AAEiChUa4WcftvN9AQAAAAAEWVo=";
