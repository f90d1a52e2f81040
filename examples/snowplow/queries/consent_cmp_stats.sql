-- How long the question took to appear, and how long visitors took to answer it during the same view of the page, in whole seconds
-- by the clock.
WITH log AS (
    SELECT person_id, source_event_id, name, occurred_at, property(properties, 'page_view') AS page_view,
           property(properties, 'session') AS session, property(properties, 'consent_event') AS event_type,
           property(properties, 'cmp_load_time') AS load_time
    FROM timeline WHERE name IN ('cmp_visible', 'consent_preferences')
),
answered AS (
    SELECT shown.source_event_id AS event_id, shown.session AS domain_sessionid, shown.load_time AS cmp_load_time,
           shown.occurred_at AS cmp_tstamp, answer.occurred_at AS first_consent_event_tstamp,
           answer.event_type AS first_consent_event_type,
           row_number() OVER (PARTITION BY shown.source_event_id ORDER BY answer.occurred_at, answer.source_event_id) AS place
    FROM log AS shown
    LEFT JOIN log AS answer
      ON answer.name = 'consent_preferences' AND answer.person_id = shown.person_id
     AND answer.page_view = shown.page_view AND answer.occurred_at >= shown.occurred_at
    WHERE shown.name = 'cmp_visible'
)
SELECT event_id, domain_sessionid, cmp_load_time, cmp_tstamp, first_consent_event_tstamp, first_consent_event_type,
       CAST(floor(date_part('epoch', first_consent_event_tstamp)) - floor(date_part('epoch', cmp_tstamp)) AS BIGINT)
           AS cmp_interaction_time
FROM answered WHERE place = 1
ORDER BY event_id
