import { randomUUID } from "node:crypto";
import { credentialsOfEnvironment } from "../aws-credentials.js";
import { PersistError } from "../errors.js";
import { native, settle } from "../native.js";
import { type Finding, findingOf } from "./finding.js";

/** Where a bucket is. */
export interface BucketPlace {
  bucket: string;
  /** Put before the key of the object that is tried. */
  prefix: string;
  region?: string;
  endpoint?: string;
}

/** Signatures are refused when clocks differ by more than 15 minutes; half of that is worth a word. */
const CLOCK_DIFFERENCE_MS = 450_000;

const STEPS: Readonly<Record<string, [check: string, message: string]>> = {
  List: ["list", "keys can be listed"],
  Put: ["write", "an object can be stored"],
  ConditionalPut: ["conditional write", "what must not exist yet is refused when it does"],
  Get: ["read", "it reads as it was written"],
  Delete: ["delete", "it is removed again"],
};

/** Tries what the doors need of a bucket, with one object that is removed again. */
export async function examineBucket(place: BucketPlace): Promise<Finding[]> {
  const { bucket, prefix, region, endpoint } = place;
  const credentials = credentialsOfEnvironment();
  const s3 = {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...credentials,
    maxAttempts: 2,
  };
  const who: Finding =
    credentials === undefined
      ? {
          check: "credentials",
          ok: false,
          message: "requests are not signed",
          advice: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
          code: "NO_CREDENTIALS",
        }
      : { check: "credentials", ok: true, message: `requests are signed by ${credentials.accessKeyId}` };
  const clock = await examineClock(endpoint ?? `https://s3.${region ?? "us-east-1"}.amazonaws.com`);
  return [who, ...clock, ...(await tried({ bucket, prefix, s3 }))];
}

async function tried(place: native.ReplicaPlace): Promise<Finding[]> {
  try {
    const outcomes = await settle(native.probeBucket(place, `.holdfast-doctor-${randomUUID()}`));
    return outcomes.map(({ step, problem }) => {
      const [check, message] = STEPS[step] ?? [step, "it works"];
      return problem === undefined ? { check, ok: true, message } : findingOf(check, problem.failure);
    });
  } catch (error) {
    if (error instanceof PersistError) return [findingOf("settings", error)];
    throw error;
  }
}

/** Compares this machine's clock with the endpoint's. What can't be reached is told by the other checks. */
async function examineClock(endpoint: string): Promise<Finding[]> {
  const answer = await fetch(endpoint, {
    method: "HEAD",
    redirect: "manual",
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
  const date = Date.parse(answer?.headers.get("date") ?? "");
  if (Number.isNaN(date)) return [];
  const difference = Math.abs(Date.now() - date);
  const message = `this clock and the endpoint's differ by ${Math.round(difference / 1000)} s`;
  if (difference < CLOCK_DIFFERENCE_MS) return [{ check: "clock", ok: true, message }];
  return [{ check: "clock", ok: false, message, advice: "set this machine's clock (NTP)", code: "CLOCK_DIFFERS" }];
}
