{# types that PostgreSQL's driver takes for one, whatever their size #}
{{ config(materialized='table', enabled=target.type == 'postgres') }}
select 1::smallint as small, 2::bigint as big, 'a'::text as word, 'b'::char(1) as mark, 1.5 as amount,
    2.5::double precision as ratio, null::uuid as code, '{}'::jsonb as tree, null::timestamptz as moment,
    array[1, 2]::bigint[] as many, null::int8range::text::int4range as span
