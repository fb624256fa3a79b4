// SPDX-License-Identifier: Apache-2.0

export type Cure = 'give_up' | 'proceed' | 'authenticate' | 'refresh' | 'request_scope' | 'step_up' | 'retry_nonce' | 'wait' | 'fix_request';

export interface Advice {
  cure: Cure;
  /** A stable code: "invalid_token", "scope", "account", … (docs/advise.md). */
  why: string;
  /** A standard says so; false: servers are known to mean it. */
  sure: boolean;
  /** Of the challenge that was followed. */
  scheme?: string;
  realm?: string;
  /** RFC 9728 section 5.1. */
  resourceMetadata?: string;
  /** What to ask for, words with spaces: what was named, then what is held. */
  scope?: string;
  acrValues?: string;
  /** Seconds since the sign-in. */
  maxAge?: number;
  nonce?: string;
  /** Seconds from now; set as well where the wait was too long. */
  wait?: number;
  /** Methods, of a 405. */
  allow?: string;
  /** The server's own code and sentence: text of the server, to be escaped. */
  reason?: string;
  detail?: string;
  /** Location, or who blocks (451). */
  link?: string;
}

export interface Answer {
  status: number;
  fields?: Headers | Iterable<[string, string]>;
  /** Decoded; may be cut or left out. */
  body?: string;
}

export interface Client {
  credentials?: 'none' | 'bearer' | 'dpop' | 'basic' | 'session' | 'other';
  canRefresh?: boolean;
  /** The server keeps to RFC 9110, as Forbid does: its 403 without credentials is final. */
  strict?: boolean;
  /** A person's browser: pages and redirects are what it asked for. */
  wantsHtml?: boolean;
  method?: string;
  /** Of the token, words with spaces; undefined: not known. */
  scopes?: string;
  acr?: string;
  /** Seconds since 1970. */
  authTime?: number;
  now?: number;
  /** Cures of this request so far. */
  tried?: Cure[];
  waits?: number;
  /** Seconds so far, and in all (60). */
  waited?: number;
  waitMax?: number;
}

/** What a client may do about an answer. Never throws for what a server sent. */
export function advise(answer: Answer, client?: Client): Advice;

export interface Credentials {
  /** "Bearer" where it is left out. */
  scheme?: string;
  token: string;
  scopes?: string[];
  acr?: string;
  authTime?: number;
  /** false: these cannot be refreshed, though there is a `refresh`. */
  canRefresh?: boolean;
}

type Got = Credentials | null | undefined;
type MakeCredentials = (advice: Advice, used: Credentials | undefined) => Promise<Got> | Got;

export interface Options {
  /** Whose requests carry the credentials and are followed; all others go through as they are. */
  origins: string[];
  /** What there is at the start. Asked once. */
  credentials?: () => Promise<Got> | Got;
  /** Signs in. null: it did not come to that, and the answer is returned. */
  authenticate?: MakeCredentials;
  /** Gets a new token without the user. null: it could not, and `authenticate` is next. */
  refresh?: MakeCredentials;
  /** A new authorization request for `advice.scope`. */
  requestScope?: MakeCredentials;
  /** A new authorization request with `advice.acrValues`, `advice.maxAge`, `advice.scope`. */
  stepUp?: MakeCredentials;
  /** A DPoP proof (RFC 9449) for credentials of the scheme "DPoP". `url` is without its query. */
  proof?: (of: { method: string; url: string; nonce: string | undefined; token: string }) => Promise<string> | string;
  /** A cookie is what signs in; requests without a token count as having one. */
  session?: boolean;
  strict?: boolean;
  wantsHtml?: boolean;
  /** Seconds that one request may wait in all (60). */
  waitMax?: number;
  /** Told of each advice, in order. */
  onAdvice?: (advice: Advice, response: Response) => void;
  /** In place of the global one. */
  fetch?: typeof fetch;
}

/** A fetch that follows the advice, each cure once a request. Requests that need the same cure share it. */
export function createFetch(options: Options): typeof fetch;

/** The last advice about a response that came from such a fetch. */
export function adviceOf(response: Response): Advice | undefined;
