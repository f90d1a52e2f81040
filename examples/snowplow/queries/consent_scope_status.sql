-- How many visitors allow each scope, of those who answered the latest version.
WITH answers AS (
    SELECT property(properties, 'consent_version') AS version, property(properties, 'consent_scopes') AS scopes,
           property(properties, 'consent_event') AS event_type, occurred_at,
           row_number() OVER (PARTITION BY person_id ORDER BY occurred_at DESC, source_event_id DESC) AS back
    FROM timeline WHERE name = 'consent_preferences'
),
latest AS (SELECT version FROM answers WHERE event_type = 'allow_all' ORDER BY occurred_at DESC LIMIT 1)
SELECT scope, count(*) AS total_consent
FROM answers JOIN latest ON answers.version = latest.version
JOIN (VALUES ('necessary'), ('preferences'), ('statistics'), ('marketing')) AS known (scope)
  ON strpos(', ' || scopes || ', ', ', ' || scope || ', ') > 0
WHERE back = 1
GROUP BY scope
ORDER BY scope
