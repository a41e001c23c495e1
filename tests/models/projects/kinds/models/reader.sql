{{ config(materialized=var('kind', 'view'), unique_key='id', partitioned_by='id' if target.type == 'duckdb' else none) }}
with given as (select * from {{ ref('two_between') }})
select given.id, given.word, base.word as plain
from given inner join {{ ref('base') }} as base on base.id = given.id
