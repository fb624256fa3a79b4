// SPDX-License-Identifier: Apache-2.0
// What servers write into a refusal's body where the standard has a challenge.  The rows of
// src/refusal/signals.def, to which the tests hold them.

const WORDS = {
  token: ['access_token_expired', 'expired_token', 'expiredtoken', 'expiredtokenexception', 'invalid_token',
    'invalidauthenticationtoken', 'jwt_expired', 'token_expired', 'token_not_valid', 'tokenexpired'],
  scope: ['access_token_scope_insufficient', 'insufficient_scope', 'missing_scope'],
  account: ['account_deleted', 'account_disabled', 'account_locked', 'account_suspended', 'account_unknown',
    'geo_restricted', 'insufficient_role', 'ip_restricted', 'location_not_allowed', 'not_a_member',
    'not_owner', 'policy_denied', 'policy_error', 'principal_type', 'role_required', 'user_not_found'],
  missing: ['authentication_required', 'credentials_required', 'invalid_grant', 'login_required',
    'missing_authentication_token', 'missing_credentials', 'missing_token',
    'missingauthenticationtokenexception', 'not_authenticated', 'session_expired', 'unauthenticated'],
  busy: ['authorization_unavailable'],
  certificate: ['certificate_required'],
  csrf: ['csrf_failed', 'csrf_token_mismatch', 'ebadcsrftoken', 'invalid_csrf_token'],
  weak: ['insufficient_user_authentication', 'mfa_required', 'reauthentication_required', 'step_up_required',
    'two_factor_required'],
  proof: ['invalid_dpop_proof'],
  rate: ['quota_exceeded', 'quotaexceeded', 'rate_limit_exceeded', 'rate_limited', 'ratelimitexceeded',
    'requestlimitexceeded', 'resource_exhausted', 'slow_down', 'throttlingexception', 'userratelimitexceeded'],
  nonce: ['use_dpop_nonce'],
};

export const signalOfWord = new Map(Object.entries(WORDS).flatMap(([signal, words]) => words.map((word) => [word, signal])));
