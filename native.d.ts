/** What a fallible native function answers; only lib/native.ts opens it. */
export type Reply<T> = T | Failure;

/**
 * Which binding artifact the generated loader actually loaded: `'native'` for
 * a native addon, otherwise the `platformArchABI` of the WASI flavor. Every
 * flavor napi-rs can build is listed, because `NAPI_RS_NATIVE_LIBRARY_PATH`
 * can point the loader at a WASI artifact this package does not build itself.
 */
export declare const __napiBindingTarget: 'native' | 'wasm32-wasi' | 'wasm32-wasip1'

/** Answers with a failure of the given kind; `panic` panics. The border's own test. */
export declare function failForTest(kind: string): Promise<Reply<number>>

/** The envelope of an error. */
export interface Failure {
  /** The error. */
  failure: FailureData
}

/** An error as JavaScript receives it. */
export interface FailureData {
  /** Which class of `lib/errors.ts` it becomes. */
  kind: string
  /** The stable code. */
  code: string
  /** What happened and what to do. */
  message: string
  /** Whether the same call may succeed later. */
  retryable: boolean
  /** Details for programs, as JSON. */
  details?: string
}

/** The version of the addon; the front refuses one that does not match its own. */
export declare function version(): string
