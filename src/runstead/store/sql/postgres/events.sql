-- name: lengths
SELECT id, length(body) FROM messages WHERE id IN (SELECT json_array_elements_text(:ids::json))
 UNION ALL
SELECT id, length(body) FROM steps WHERE id IN (SELECT json_array_elements_text(:ids::json));

-- name: bodies
SELECT id, body FROM messages WHERE id IN (SELECT json_array_elements_text(:ids::json))
 UNION ALL
SELECT id, body FROM steps WHERE id IN (SELECT json_array_elements_text(:ids::json));
