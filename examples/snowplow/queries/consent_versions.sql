-- Each version of the text: since when, what agreeing to all of it allows, and who of those whose last answer it has said what.
WITH answers AS (
    SELECT person_id, source_event_id, occurred_at, property(properties, 'loaded') AS loaded,
           property(properties, 'consent_event') AS event_type, property(properties, 'consent_url') AS url,
           property(properties, 'consent_version') AS version, property(properties, 'consent_scopes') AS scopes,
           property(properties, 'consent_domains') AS domains,
           row_number() OVER (PARTITION BY person_id ORDER BY occurred_at DESC, source_event_id DESC) AS back
    FROM timeline WHERE name = 'consent_preferences'
),
versions AS (
    SELECT version, min(occurred_at) AS started, max(loaded) AS last,
           first_value(scopes ORDER BY occurred_at) AS scopes, first_value(url ORDER BY occurred_at) AS url,
           first_value(domains ORDER BY occurred_at) AS domains
    FROM answers WHERE event_type = 'allow_all' GROUP BY version
),
said AS (
    SELECT version, count(*) AS total_visitors,
           count(CASE WHEN event_type = 'allow_all' THEN 1 END) AS allow_all,
           count(CASE WHEN event_type = 'allow_selected' THEN 1 END) AS allow_selected,
           count(CASE WHEN event_type IN ('allow_all', 'allow_selected') THEN 1 END) AS allow,
           count(CASE WHEN event_type = 'pending' THEN 1 END) AS pending,
           count(CASE WHEN event_type = 'deny_all' THEN 1 END) AS denied,
           count(CASE WHEN event_type = 'expired' THEN 1 END) AS expired,
           count(CASE WHEN event_type = 'withdrawn' THEN 1 END) AS withdrawn,
           count(CASE WHEN event_type = 'implicit_consent' THEN 1 END) AS implicit_consent
    FROM answers WHERE back = 1 GROUP BY version
)
SELECT versions.version AS consent_version, started AS version_start_tstamp, scopes AS consent_scopes, url AS consent_url,
       domains AS domains_applied, started = (SELECT max(started) FROM versions) AS is_latest_version,
       last AS last_allow_all_event, total_visitors, allow_all, allow_selected, allow, pending, denied, expired, withdrawn,
       implicit_consent
FROM versions JOIN said ON versions.version = said.version
ORDER BY consent_version
