{# `publish: after_tests`: what is built beside a relation, and how it takes that one's place. #}

{# Leaves nothing under the name beside, or, for a model that grows, a copy of what it grows. #}
{% macro prepare_unpublished(unpublished, published) %}
    {% do return(adapter.dispatch('prepare_unpublished', 'dbt')(unpublished, published)) %}
{% endmacro %}

{% macro default__prepare_unpublished(unpublished, published) %}
    {% do drop_relation_if_exists(load_cached_relation(unpublished)) %}
    {% set current = load_cached_relation(published) %}
    {% set grows = config.get('materialized') == 'incremental' and not should_full_refresh() %}
    {% if grows and current is not none and current.is_table %}
        {% set copy = unpublished.incorporate(type='table') %}
        {% call statement('copy_published') -%}
            {{ create_table_as(False, copy, 'select * from ' ~ current.render()) }}
        {%- endcall %}
        {% do create_indexes(copy) %}
        {% do adapter.cache_added(copy) %}
    {% endif %}
{% endmacro %}

{# One transaction: readers see what was there, or what has been tested. #}
{% macro publish_relation(unpublished, published) %}
    {% do return(adapter.dispatch('publish_relation', 'dbt')(unpublished, published)) %}
{% endmacro %}

{% macro default__publish_relation(unpublished, published) %}
    {% set built = load_cached_relation(unpublished) %}
    {% set former = load_cached_relation(published) %}
    {% set target = published.incorporate(type=built.type) %}
    {% set backup = make_backup_relation(target, built.type if former is none else former.type) %}
    {% do _drop_leftovers([backup]) %}
    {% do _swap_in(former, built, target, backup) %}
    {% do adapter.commit() %}
    {% do drop_relation_if_exists(load_cached_relation(backup)) %}
{% endmacro %}
