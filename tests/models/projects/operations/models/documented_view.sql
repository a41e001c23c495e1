{{ config(post_hook="{{ note('own') }}") }}
select id, name, 3 as "Mixed" from {{ ref('documented') }}
