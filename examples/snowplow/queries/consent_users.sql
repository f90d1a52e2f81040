-- What each visitor said last.
WITH log AS (
    SELECT person_id, source_event_id, name, occurred_at, property(properties, 'loaded') AS loaded,
           property(properties, 'consent_event') AS event_type, property(properties, 'consent_url') AS url,
           property(properties, 'consent_version') AS version, property(properties, 'consent_scopes') AS scopes,
           property(properties, 'consent_domains') AS domains
    FROM timeline WHERE name IN ('cmp_visible', 'consent_preferences')
),
answers AS (
    SELECT *, row_number() OVER (PARTITION BY person_id ORDER BY occurred_at DESC, source_event_id DESC) AS back
    FROM log WHERE name = 'consent_preferences'
),
latest AS (SELECT version FROM log WHERE event_type = 'allow_all' ORDER BY occurred_at DESC LIMIT 1),
counted AS (
    SELECT person_id, count(CASE WHEN name = 'cmp_visible' THEN 1 END) AS cmp_events,
           count(CASE WHEN name = 'consent_preferences' THEN 1 END) AS consent_events,
           max(CASE WHEN name = 'cmp_visible' THEN occurred_at END) AS last_cmp_event_tstamp,
           max(loaded) AS last_processed_event
    FROM log GROUP BY person_id
)
SELECT cmp_events, consent_events, last_cmp_event_tstamp, answers.occurred_at AS last_consent_event_tstamp,
       answers.event_type AS last_consent_event_type, answers.scopes AS last_consent_scopes,
       answers.version AS last_consent_version, answers.url AS last_consent_url, answers.domains AS last_domains_applied,
       last_processed_event, coalesce(answers.version = latest.version, false) AS is_latest_version
FROM counted CROSS JOIN latest
LEFT JOIN answers ON answers.person_id = counted.person_id AND answers.back = 1
ORDER BY last_processed_event
