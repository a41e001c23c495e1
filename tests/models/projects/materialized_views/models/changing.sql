{{ config(materialized=var('kind', 'materialized_view')) }}
select * from {{ ref('given') }}
